// Evaluation: the same path during training and in `covrl eval`. Draws depend on (seed, tokens of
// the prompt, sample, position) alone, not on the step, so that two evaluations of a run differ by
// the weights and nothing else; nor on the batch, the ranks, the order of the problems or what else
// is evaluated: a problem has the same responses in a subset as in the whole set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/evaluation/eval_rows.h"
#include "rl/evaluation/eval_set.h"
#include "rl/sampler.h"

namespace covrl {

class Evaluator {
 public:
  // Where a set has an id twice, the later problem becomes ID:ROW.
  // `base`: what the rules of a set leave open: stop tokens, seed, max_new_tokens.
  Evaluator(std::vector<EvalSet> sets, SamplingParams base);

  // Collective. Every response, set by set and problem by problem: its samples, then its greedy
  // one.
  std::vector<EvalRow> run(Sampler& sampler, const EvalOrigin& origin,
                           int64_t weight_version = 0) const;
  bool empty() const { return sets_.empty(); }
  const std::vector<EvalSet>& sets() const { return sets_; }

 private:
  std::vector<EvalSet> sets_;
  SamplingParams base_;
};

}  // namespace covrl
