// The rows of the checkpoints of a run, kept so that an interrupted evaluation goes on:
//   FOLDER/SET/settings.json          what the responses were made with
//   FOLDER/SET/global_step_N.jsonl    the rows of that step (rl/evaluation/eval_rows.h), which name
//                                     their judge; written as a whole
//   FOLDER/SET/policies.json          which policy the rows of each step are of
// Rows count only where policies.json names their policy: another run, or a checkpoint of the same
// step made anew, does not get the rows of the earlier one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "rl/evaluation/eval_rows.h"

namespace covrl {

class KeptRows {
 public:
  explicit KeptRows(std::string folder) : folder_(std::move(folder)) {}

  // Error(kUsage) naming the settings that differ when the set has rows made with others.
  void check(const std::string& set, const Json& settings) const;
  // Makes the set's folder.
  void begin(const std::string& set) const;

  // Whether the set has rows of the step, whosever.
  bool has(const std::string& set, int64_t step) const;
  bool has(const std::string& set, int64_t step, const std::string& policy) const;
  // Settings are noted with the first rows of a set.
  void write(const std::string& set, int64_t step, const std::string& policy, const Json& settings,
             const std::vector<EvalRow>& rows) const;
  // Other rows of the same policy and settings: judged again.
  void replace(const std::string& set, int64_t step, const std::vector<EvalRow>& rows) const;
  std::vector<EvalRow> read(const std::string& set, int64_t step) const;

 private:
  std::string settings_file(const std::string& set) const;
  std::string policies_file(const std::string& set) const;
  std::string rows_file(const std::string& set, int64_t step) const;
  Json policies(const std::string& set) const;  // step -> policy
  std::string folder_;
};

}  // namespace covrl
