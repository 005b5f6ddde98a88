// Kept responses judged again, without sampling.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rl/evaluation/eval_rows.h"

namespace covrl {

struct Rescoring {
  int64_t num_rows = 0;
  // Of the rows whose outcome or score changed: how often each outcome became which.
  std::map<std::pair<Outcome, Outcome>, int64_t> moves;
  std::vector<std::string> changed;  // "BENCHMARK ID #SAMPLE", in order of the rows
};

// Replaces the verdicts of all rows; `judge`: the verifier's name in them (rl/judge_text.h).
// Responses whose rollout failed stay failed.
Rescoring rescore(std::vector<EvalRow>& rows, const Verifier& verifier, const std::string& judge,
                  int num_threads);

// "12 of 500 verdicts changed: 9 wrong -> correct, 3 correct -> wrong; math500 math500-3 #0, ..."
std::string agreement_text(const Rescoring& rescoring);

}  // namespace covrl
