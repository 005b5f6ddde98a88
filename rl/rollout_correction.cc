#include "rl/rollout_correction.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/error.h"

namespace covrl {
namespace {

double bounded(double exponent) { return std::clamp(exponent, -20.0, 20.0); }

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double mean_of(const std::vector<double>& values, double (*term)(double)) {
  std::vector<double> terms;
  for (double value : values) terms.push_back(term(value));
  return mean(terms);
}

double k1(double log_ratio) { return -bounded(log_ratio); }
double k2(double log_ratio) { return 0.5 * bounded(log_ratio) * bounded(log_ratio); }
double k3(double log_ratio) { return std::exp(bounded(log_ratio)) - 1 - bounded(log_ratio); }
double chi2(double log_ratio) { return std::exp(2 * bounded(log_ratio)) - 1; }

double largest(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}
double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// A statistic of tokens, and how a sequence's become one; null: token by token.
struct Rejection {
  const char* name;
  double (*token)(double log_ratio);
  double (*sequence)(const std::vector<double>& values);
};
constexpr Rejection kRejections[] = {
    {"token_k1", k1, nullptr},   {"token_k2", k2, nullptr},   {"token_k3", k3, nullptr},
    {"seq_sum_k1", k1, sum},     {"seq_sum_k2", k2, sum},     {"seq_sum_k3", k3, sum},
    {"seq_mean_k1", k1, mean},   {"seq_mean_k2", k2, mean},   {"seq_mean_k3", k3, mean},
    {"seq_max_k2", k2, largest}, {"seq_max_k3", k3, largest},
};

const Rejection* find_rejection(const std::string& name) {
  for (const Rejection& row : kRejections)
    if (name == row.name) return &row;
  return nullptr;
}

struct Bounds {
  double low, high;
  bool contain(double value) const { return low <= value && value <= high; }
};

// The whole text as a positive number; 0 when it is none.
double positive_number(const std::string& text) {
  size_t end = 0;
  double value = 0;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    return 0;
  }
  return end == text.size() && std::isfinite(value) && value > 0 ? value : 0;
}

// Bounds of `rejection` from a threshold; an empty interval when the text does not fit.
Bounds parse_bounds(const Rejection& rejection, const std::string& text) {
  constexpr Bounds kUnreadable{1, 0};
  const size_t separator = text.find('_');
  if (rejection.token != k1) {
    const double high = positive_number(text);
    return high > 0 ? Bounds{-std::numeric_limits<double>::infinity(), high} : kUnreadable;
  }
  const bool is_pair = separator != std::string::npos;
  const double high = positive_number(is_pair ? text.substr(separator + 1) : text);
  const double low = is_pair ? positive_number(text.substr(0, separator)) : 1 / high;
  return low > 0 && high >= low ? Bounds{std::log(low), std::log(high)} : kUnreadable;
}

// What rejects, with its bounds; config has been checked.
std::vector<std::pair<Rejection, Bounds>> rejections(const RolloutCorrectionConfig& config) {
  std::vector<std::pair<Rejection, Bounds>> result;
  for (size_t i = 0; i < config.rollout_rs.size(); ++i) {
    const Rejection* rejection = find_rejection(config.rollout_rs[i]);
    COVRL_CHECK(rejection != nullptr, config.rollout_rs[i]);
    result.emplace_back(*rejection, parse_bounds(*rejection, config.rollout_rs_threshold.at(i)));
  }
  return result;
}

// Weights before any cut: of every token inside the mask, and one of every sequence that has some.
struct RawWeights {
  std::vector<double> tokens, sequences;
};

RawWeights raw_weights(bool of_sequence, const RolloutMismatch& mismatch) {
  RawWeights weights;
  for (size_t n = 0; n < mismatch.num_sequences(); ++n) {
    const std::vector<size_t> entries = mismatch.entries(n);
    double total = 0;
    for (size_t entry : entries) total += mismatch.log_ratio(entry);
    const double weight = std::exp(bounded(total));
    if (!entries.empty()) weights.sequences.push_back(weight);
    for (size_t entry : entries)
      weights.tokens.push_back(of_sequence ? weight : std::exp(bounded(mismatch.log_ratio(entry))));
  }
  return weights;
}

void add_weight_metrics(const RolloutCorrectionConfig& config, const std::vector<double>& raw,
                        Metrics& metrics) {
  if (raw.empty()) return;
  const double high = config.rollout_is_threshold, low = config.rollout_is_threshold_low;
  std::vector<double> used = raw;
  for (double& weight : used)
    weight = low == 0 ? std::clamp(weight, std::min(1 / high, high), high)
             : Bounds{low, high}.contain(weight) ? weight
                                                 : 0;
  const double average = mean(used);
  const double square = mean_of(used, [](double weight) { return weight * weight; });
  metrics.set("rollout_corr/rollout_is_mean", mean(raw));
  metrics.set("rollout_corr/rollout_is_max", largest(raw));
  metrics.set("rollout_corr/rollout_is_min", *std::min_element(raw.begin(), raw.end()));
  metrics.set("rollout_corr/rollout_is_std", std::sqrt(std::max(0.0, square - average * average)));
  metrics.set("rollout_corr/rollout_is_eff_sample_size",
              square > 0 ? average * average / square : 0);
}

RolloutMismatch mismatch_of(const Batch& batch) {
  const auto doubles = [](const at::Tensor& values) {
    const at::Tensor wide = values.to(at::kDouble).contiguous();
    const double* data = wide.const_data_ptr<double>();
    return std::vector<double>(data, data + wide.numel());
  };
  RolloutMismatch mismatch;
  mismatch.cu_seqlens = batch.cu_seqlens;
  const bool* mask = batch.loss_mask_T.const_data_ptr<bool>();
  mismatch.mask.assign(mask, mask + batch.num_tokens());
  mismatch.old_logprob = doubles(batch.scored_like_behaviour_T());
  mismatch.behaviour_logprob = doubles(batch.behaviour_logprob_T);
  return mismatch;
}

}  // namespace

std::vector<size_t> RolloutMismatch::entries(size_t n) const {
  std::vector<size_t> result;
  for (size_t t = static_cast<size_t>(cu_seqlens[n]); t < static_cast<size_t>(cu_seqlens[n + 1]);
       ++t)
    if (mask[t]) result.push_back(t);
  return result;
}

std::vector<std::string> rejection_names() {
  std::vector<std::string> names;
  for (const Rejection& row : kRejections) names.emplace_back(row.name);
  return names;
}

std::vector<double> importance_weights(const RolloutCorrectionConfig& config,
                                       const RolloutMismatch& mismatch, Metrics& metrics) {
  const bool of_sequence = config.rollout_is == "sequence";
  const double high = config.rollout_is_threshold, low = config.rollout_is_threshold_low;
  const auto cut = [&](double weight) {
    if (low == 0) return std::min(weight, high);
    return Bounds{low, high}.contain(weight) ? weight : 0;
  };
  RawWeights weights = raw_weights(of_sequence, mismatch);
  add_weight_metrics(config, weights.tokens, metrics);
  for (std::vector<double>* values : {&weights.tokens, &weights.sequences})
    std::transform(values->begin(), values->end(), values->begin(), cut);
  const double average = mean(of_sequence ? weights.sequences : weights.tokens);
  const double factor = config.rollout_is_batch_normalize && average > 0 ? 1 / average : 1;
  std::vector<double> result(mismatch.mask.size());
  size_t next = 0;
  for (size_t n = 0; n < mismatch.num_sequences(); ++n)
    for (size_t entry : mismatch.entries(n)) result[entry] = weights.tokens[next++] * factor;
  return result;
}

std::vector<uint8_t> accepted_tokens(const RolloutCorrectionConfig& config,
                                     const RolloutMismatch& mismatch, Metrics& metrics) {
  std::vector<uint8_t> stays(mismatch.mask.size());
  double num_tokens = 0, num_out = 0, num_sequences = 0, num_touched = 0;
  const auto checks = rejections(config);
  for (size_t n = 0; n < mismatch.num_sequences(); ++n) {
    const std::vector<size_t> entries = mismatch.entries(n);
    if (entries.empty()) continue;
    for (size_t entry : entries) stays[entry] = 1;
    for (const auto& [rejection, bounds] : checks) {
      std::vector<double> values;
      for (size_t entry : entries) values.push_back(rejection.token(mismatch.log_ratio(entry)));
      if (rejection.sequence != nullptr) values.assign(values.size(), rejection.sequence(values));
      for (size_t i = 0; i < entries.size(); ++i)
        if (!bounds.contain(values[i])) stays[entries[i]] = 0;
    }
    const double out = static_cast<double>(
        std::count_if(entries.begin(), entries.end(), [&](size_t entry) { return !stays[entry]; }));
    num_tokens += static_cast<double>(entries.size());
    num_out += out;
    num_sequences += 1;
    num_touched += out > 0;
  }
  metrics.set("rollout_corr/rollout_rs_masked_fraction", num_tokens > 0 ? num_out / num_tokens : 0);
  metrics.set("rollout_corr/rollout_rs_seq_masked_fraction",
              num_sequences > 0 ? num_touched / num_sequences : 0);
  return stays;
}

void add_mismatch_metrics(const RolloutMismatch& mismatch, Metrics& metrics) {
  std::vector<double> tokens, sequences, training, rollout, difference;
  for (size_t n = 0; n < mismatch.num_sequences(); ++n) {
    const std::vector<size_t> entries = mismatch.entries(n);
    if (entries.empty()) continue;
    std::vector<double> old_logprob, behaviour_logprob;
    double total = 0;
    for (size_t entry : entries) {
      tokens.push_back(mismatch.log_ratio(entry));
      total += mismatch.log_ratio(entry);
      old_logprob.push_back(mismatch.old_logprob[entry]);
      behaviour_logprob.push_back(mismatch.behaviour_logprob[entry]);
    }
    sequences.push_back(total);
    training.push_back(-mean(old_logprob));
    rollout.push_back(-mean(behaviour_logprob));
    difference.push_back(training.back() - rollout.back());
  }
  const auto exp = [](double value) { return std::exp(bounded(value)); };
  metrics.set("rollout_corr/kl", mean_of(tokens, [](double value) { return -value; }));
  metrics.set("rollout_corr/k3_kl", mean_of(tokens, k3));
  metrics.set("rollout_corr/chi2_token", mean_of(tokens, chi2));
  metrics.set("rollout_corr/chi2_seq", mean_of(sequences, chi2));
  metrics.set("rollout_corr/training_ppl", mean_of(training, exp));
  metrics.set("rollout_corr/rollout_ppl", mean_of(rollout, exp));
  metrics.set("rollout_corr/log_ppl_diff", mean(difference));
  metrics.set("rollout_corr/log_ppl_abs_diff",
              mean_of(difference, [](double value) { return std::abs(value); }));
}

void correct_rollout(const RolloutCorrectionConfig& config, Batch& batch, Metrics& metrics) {
  const RolloutMismatch mismatch = mismatch_of(batch);
  add_mismatch_metrics(mismatch, metrics);
  if (config.rollout_is != "none")
    batch.rollout_weight_T.set(
        at::tensor(importance_weights(config, mismatch, metrics), at::kDouble).to(at::kFloat));
  if (!config.rollout_rs.empty()) {
    const std::vector<uint8_t> stays = accepted_tokens(config, mismatch, metrics);
    batch.loss_mask_T = at::tensor(at::ArrayRef<uint8_t>(stays), at::kByte).to(at::kBool);
  }
  if (config.bypass_mode) {
    batch.old_logprob_T = Once("old_logprob");
    batch.old_logprob_T.set(batch.behaviour_logprob_T);
    batch.old_is_behaviour = true;
  }
}

void RolloutCorrectionConfig::describe(config::Visitor& v) {
  const RolloutCorrectionConfig defaults;
  v.word(
      "rollout_is", rollout_is,
      "Importance weights on the policy loss for a sampler that differs from the learner: token, "
      "sequence, or none. They are 1 where both agree bit for bit, as in float32; bfloat16 and "
      "older weights make them differ. Not seen: top_k and top_p.",
      {"none", "token", "sequence"});
  v.field("rollout_is_threshold", rollout_is_threshold, "Largest importance weight.", {1e-6, 1e6});
  v.field("rollout_is_threshold_low", rollout_is_threshold_low,
          "0: larger weights are cut to the threshold. Above 0: IcePop, weights outside "
          "[rollout_is_threshold_low, rollout_is_threshold] become 0.",
          {0, 1e6});
  v.field("rollout_is_batch_normalize", rollout_is_batch_normalize,
          "Divide the weights by their mean over the batch.");
  v.field(
      "rollout_rs", rollout_rs,
      "Tokens or sequences to leave out of the step because sampler and learner differ too much "
      "on them: any of token_k1, token_k2, token_k3, the same with seq_sum_ and seq_mean_, "
      "seq_max_k2, seq_max_k3.");
  v.field(
      "rollout_rs_threshold", rollout_rs_threshold,
      "One per entry of rollout_rs. k1: \"LOW_HIGH\", bounds of the ratio sampler / learner; k2, "
      "k3: the largest value, \"0.01\".");
  v.field("bypass_mode", bypass_mode,
          "The sampler's log-probs serve as the old ones, so that the ratio of the policy loss "
          "corrects for the difference.");
  const bool weighted = rollout_is != "none";
  const std::string inert = "has no effect with rollout_is none; set rollout_is, or remove the key";
  v.check(weighted || rollout_is_threshold == defaults.rollout_is_threshold, "rollout_is_threshold",
          inert);
  v.check(weighted || rollout_is_threshold_low == defaults.rollout_is_threshold_low,
          "rollout_is_threshold_low", inert);
  v.check(weighted || !rollout_is_batch_normalize, "rollout_is_batch_normalize", inert);
  v.check(rollout_is_threshold_low < rollout_is_threshold, "rollout_is_threshold_low",
          concat("is ", rollout_is_threshold_low,
                 ", not below rollout_is_threshold = ", rollout_is_threshold));
  v.check(!weighted || !bypass_mode, "bypass_mode",
          "lets the ratio of the policy loss correct, and rollout_is would correct once more; "
          "choose one of them");
  check_rejections(v);
}

void RolloutCorrectionConfig::check_rejections(config::Visitor& v) const {
  std::string names;
  for (const std::string& name : rejection_names()) names += (names.empty() ? "" : ", ") + name;
  for (const std::string& name : rollout_rs)
    v.check(find_rejection(name) != nullptr, "rollout_rs",
            concat("names '", name, "', which is not known; known are ", names));
  v.check(rollout_rs.size() == rollout_rs_threshold.size(), "rollout_rs_threshold",
          concat("has ", rollout_rs_threshold.size(), " entries for ", rollout_rs.size(),
                 " of rollout_rs; give one for each"));
  for (size_t i = 0; i < std::min(rollout_rs.size(), rollout_rs_threshold.size()); ++i) {
    const Rejection* rejection = find_rejection(rollout_rs[i]);
    if (rejection == nullptr) continue;
    const Bounds bounds = parse_bounds(*rejection, rollout_rs_threshold[i]);
    v.check(bounds.low <= bounds.high, "rollout_rs_threshold",
            concat("has '", rollout_rs_threshold[i], "' for ", rollout_rs[i],
                   rejection->token == k1 ? "; write \"LOW_HIGH\" with 0 < LOW <= HIGH, or one "
                                            "number above 1"
                                          : "; write one number above 0"));
  }
}

}  // namespace covrl
