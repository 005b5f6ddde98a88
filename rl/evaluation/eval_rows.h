// The responses of an evaluation, every one of them kept: a row each, as `covrl eval --output` and
// a run's eval_samples.jsonl hold them. Every table and metric of an evaluation is a function of
// its rows (rl/evaluation/eval_summary.h), so it can be made again, and with another verifier,
// without sampling.
//
// A line of the file (docs/evaluation.md):
// {"step","checkpoint","benchmark","id","sample","decoding","fields","data_source","extra_info",
// "prompt","gold","response","verifier","outcome","score","extracted","reason","finish_reason",
// "num_tokens","mean_entropy"}. Those that say nothing (step, checkpoint, fields, data_source,
// extra_info, verifier, reason) may be absent; score is null where the outcome is failed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/jsonl.h"
#include "rollout/types.h"

namespace covrl {

enum class Decoding { kGreedy, kSampled };
const char* decoding_name(Decoding decoding);  // "greedy", "sampled"

struct EvalRow {
  std::optional<int64_t> step;  // of the run that made it
  std::string checkpoint;       // folder of the policy; empty: the run's own
  std::string benchmark;
  std::string id;      // of the problem, unique within the benchmark
  int64_t sample = 0;  // of the problem, greedy ones counted apart
  Decoding decoding = Decoding::kSampled;
  std::vector<std::pair<std::string, std::string>> fields;  // of the problem: subject, level, ...
  std::string data_source;
  // For a verifier that judges again: the short values of the problem's extra_info
  // (rollout/field_value.h) and `choices`; all of it where the judge is external.
  std::string extra_info;
  std::string prompt, gold, response;
  FinishReason finish_reason = FinishReason::kFailed;
  int64_t num_tokens = 0;              // of the response
  std::optional<double> mean_entropy;  // nats a token
  std::string verifier;                // who judged (rl/judge_text.h); empty: an older row
  Verdict verdict;                     // its seconds and parts are not kept
};
// Neither its rollout nor its verification failed.
bool is_usable(const EvalRow& row);

// What the rows of one evaluation share.
struct EvalOrigin {
  std::optional<int64_t> step = {};
  std::string checkpoint = {};
  std::map<std::string, std::string> judges = {};  // who judges each benchmark
};
EvalRow make_eval_row(const EvalOrigin& origin, const std::string& benchmark, const Prompt& prompt,
                      Decoding decoding, int64_t sample, const Trajectory& trajectory);

Json to_json(const EvalRow& row);
std::string to_jsonl(const std::vector<EvalRow>& rows);  // a line each
EvalRow parse_eval_row(const Json& row, const std::string& where);

// `source`: a file of rows, or a run folder, whose eval_samples.jsonl it is; with "@STEP" after it
// only the rows of that step. Error(kUsage) for a line that is no such row, for a response that
// comes twice, and for no rows at all.
std::vector<EvalRow> read_eval_rows(const std::string& source);
// The file that a source is read from, and whether it is of one step alone.
struct EvalSource {
  std::string path;
  std::optional<int64_t> step;
};
EvalSource parse_eval_source(const std::string& source);

// Whether nothing but an evaluation would be lost with the file: none is there, or it begins with a
// row of one, or is empty, or no regular file.
bool may_be_replaced_by_rows(const std::string& path);

// Who judged the rows of each benchmark; older rows do not say, and are left out.
std::map<std::string, std::set<std::string>> judges_of(const std::vector<EvalRow>& rows);

}  // namespace covrl
