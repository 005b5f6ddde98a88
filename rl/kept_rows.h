// The rows of the checkpoints of a run, kept so that an interrupted evaluation goes on:
//   FOLDER/SET/settings.json          what the rows were made with
//   FOLDER/SET/global_step_N.jsonl    the rows of that step (rl/eval_rows.h), written as a whole
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/jsonl.h"
#include "rl/eval_rows.h"

namespace covrl {

class KeptRows {
 public:
  explicit KeptRows(std::string folder) : folder_(std::move(folder)) {}

  // Error(kUsage) naming the settings that differ when the set has rows made with others.
  void check(const std::string& set, const Json& settings) const;
  // Makes the set's folder and notes its settings.
  void begin(const std::string& set, const Json& settings) const;

  bool has(const std::string& set, int64_t step) const;
  void write(const std::string& set, int64_t step, const std::vector<EvalRow>& rows) const;
  std::vector<EvalRow> read(const std::string& set, int64_t step) const;

 private:
  std::string settings_file(const std::string& set) const;
  std::string rows_file(const std::string& set, int64_t step) const;
  std::string folder_;
};

}  // namespace covrl
