// What the files of a run folder say about its entropy, for `covrl entropy`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entropy/ceiling.h"
#include "rl/entropy_watch.h"

namespace covrl {

struct EntropyQuery {
  std::string set;      // evaluation set; empty: the first
  std::string measure;  // "mean@k" (whatever k), "greedy", ...; empty: mean@k, else greedy
  double first_share = 0.15;
};

// Means over a step's updates of the largest covariances of a token.
struct TopShares {
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> means;  // "0.02 %" -> mean of that share
};

// A token's selections in selected_tokens.jsonl, all of one text.
struct SelectedText {
  std::string text;
  int64_t count = 0;
  double mean_logprob = 0, mean_covariance = 0, negative_share = 0;  // of the advantages
  std::string before, after;  // around the selection of the largest covariance
};

// Measured and first-order change in the states of a step (actor.entropy_control.rescore).
struct RescoredStep {
  int64_t step = 0;
  double measured = 0, first_order = 0;
};

struct EntropyFindings {
  std::string name;      // of the folder
  std::string accuracy;  // the metric that R is; empty: the run was not evaluated
  int64_t first_step = 0, last_step = 0;
  std::vector<std::pair<int64_t, double>> entropy;  // (step, rollout/entropy)
  std::vector<LawPoint> points;
  LawFit fit;
  EarlyPrediction early;
  std::vector<EntropyWatch::Change> changes;
  std::vector<RescoredStep> rescored;
  std::vector<TopShares> top_shares;
  std::vector<SelectedText> selected;  // most frequent first
  int64_t num_selected = 0;
};

// Error(kUsage) naming what is missing: metrics, entropy in them, the set or measure asked for.
EntropyFindings find_entropy(const std::string& run_dir, const EntropyQuery& query);

}  // namespace covrl
