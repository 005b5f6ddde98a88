// Rows of made-up evaluations.
#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "rl/evaluation/eval_rows.h"

namespace covrl::testing {

inline EvalRow eval_row(const std::string& id, int64_t sample, Outcome outcome,
                        const std::string& extracted = "7") {
  EvalRow row;
  row.benchmark = "set";
  row.id = id;
  row.sample = sample;
  row.gold = "7";
  row.response = "So \\boxed{" + extracted + "}.";
  row.finish_reason = FinishReason::kStop;
  row.num_tokens = 10;
  row.mean_entropy = 0.5;
  row.verdict = {outcome, outcome == Outcome::kCorrect ? 1.0 : 0.0, extracted};
  return row;
}

// `num_samples` responses to each of `num_problems`; outcome, length, ... at random.
inline std::vector<EvalRow> random_rows(uint64_t seed, int num_problems, int num_samples) {
  Sequence random(seed, Stream::kTest);
  std::vector<EvalRow> rows;
  for (int problem = 0; problem < num_problems; ++problem)
    for (int sample = 0; sample < num_samples; ++sample) {
      const auto outcome = static_cast<Outcome>(random.below(4));
      const uint64_t answer = outcome == Outcome::kCorrect ? 7 : random.below(4);
      EvalRow row = eval_row("problem-" + std::to_string(problem), sample, outcome,
                             outcome == Outcome::kUnparsed ? "" : std::to_string(answer));
      if (outcome == Outcome::kUnparsed) row.response = "I recheck, and cannot say.";
      if (random.below(9) == 0) row.finish_reason = FinishReason::kFailed;
      if (random.below(4) == 0) row.finish_reason = FinishReason::kLength;
      row.num_tokens = random.between(1, 50);
      row.mean_entropy = random.uniform();
      row.fields = {{"level", std::to_string(problem % 3)}};
      rows.push_back(row);
    }
  return rows;
}

}  // namespace covrl::testing
