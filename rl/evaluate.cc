#include "rl/evaluate.h"

#include <ATen/record_function.h>

#include <cstdio>
#include <tuple>

#include "core/error.h"
#include "rl/eval_statistics.h"

namespace covrl {

namespace {

// Running mean.
struct Mean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) { sum += value, ++count; }
  double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

void add_trajectory(const Trajectory& trajectory, Mean& length, Mean& parsed, Mean& truncated,
                    Mean& entropy) {
  length.add(static_cast<double>(trajectory.tokens.size()));
  parsed.add(trajectory.verdict.outcome != Outcome::kUnparsed);
  truncated.add(trajectory.finish_reason == FinishReason::kLength);
  for (const float value : trajectory.entropy) entropy.add(value);
}

void summarise_samples(const std::vector<Group>& groups, EvalResult& result) {
  Mean pass, majority, length, parsed, truncated, entropy;
  std::vector<ProblemScore> scores;
  for (const Group& group : groups) {
    ProblemScore score;
    std::vector<Answer> answers;
    for (const Trajectory& trajectory : group.trajectories) {
      if (!is_usable(trajectory)) {
        ++result.num_failed;
        continue;
      }
      const bool correct = trajectory.verdict.outcome == Outcome::kCorrect;
      ++score.num_samples;
      score.num_correct += correct;
      answers.push_back({trajectory.verdict.extracted, correct});
      add_trajectory(trajectory, length, parsed, truncated, entropy);
    }
    if (score.num_samples == 0) continue;
    scores.push_back(score);
    pass.add(pass_at_k(score.num_samples, score.num_correct, score.num_samples));
    majority.add(majority_is_correct(answers));
  }
  result.mean_at_k = mean_accuracy(scores);
  std::tie(result.low, result.high) = bootstrap_interval(scores);
  result.pass_at_k = pass.value();
  result.maj_at_k = majority.value();
  result.mean_length = length.value();
  result.parsed_share = parsed.value();
  result.truncated_share = truncated.value();
  result.entropy = entropy.value();
}

std::string cell(double value, double before, bool has_before) {
  char text[48];
  if (has_before) {
    std::snprintf(text, sizeof text, "%5.1f -> %5.1f %%", 100 * before, 100 * value);
  } else {
    std::snprintf(text, sizeof text, "%5.1f %%", 100 * value);
  }
  return text;
}

const EvalResult* find(const std::vector<EvalResult>& results, const std::string& name) {
  for (const EvalResult& result : results)
    if (result.name == name) return &result;
  return nullptr;
}

}  // namespace

Evaluator::Evaluator(const EvalSection& config, std::vector<EvalSet> sets, SamplingParams base)
    : config_(config), sets_(std::move(sets)), base_(std::move(base)) {
  base_.stream = Stream::kEvaluation;
  if (config_.max_new_tokens > 0) base_.max_new_tokens = config_.max_new_tokens;
}

std::vector<EvalResult> Evaluator::run(Sampler& sampler, int64_t weight_version,
                                       std::vector<std::vector<Group>>* groups) const {
  RECORD_USER_SCOPE("evaluate");
  std::vector<EvalResult> results;
  for (size_t index = 0; index < sets_.size(); ++index) {
    const EvalSet& set = sets_[index];
    EvalResult result;
    result.name = set.name;
    result.num_problems = static_cast<int64_t>(set.prompts.size());
    result.num_samples = config_.samples;
    RolloutPlan plan;
    plan.params = base_;
    plan.step = index;  // each set has draws of its own
    plan.weight_version = weight_version;
    std::vector<Group> sampled, greedy;
    if (config_.greedy) {
      plan.params.filter = {.temperature = 0};
      greedy = sampler.sample(set.prompts, plan);
      summarise_samples(greedy, result);
      result.greedy = result.mean_at_k;
    }
    if (config_.samples > 0) {
      plan.params.filter = {.temperature = config_.temperature, .top_p = config_.top_p};
      plan.num_samples = config_.samples;
      sampled = sampler.sample(set.prompts, plan);
      summarise_samples(sampled, result);
    }
    results.push_back(result);
    if (groups == nullptr) continue;
    if (sampled.empty()) sampled.resize(greedy.size());
    for (size_t i = 0; i < greedy.size(); ++i) {
      sampled[i].prompt = greedy[i].prompt;
      sampled[i].slot = greedy[i].slot;
      sampled[i].trajectories.push_back(std::move(greedy[i].trajectories[0]));
    }
    groups->push_back(std::move(sampled));
  }
  return results;
}

std::string accuracy_metric(const std::string& set, const EvalSection& config) {
  const std::string measure =
      config.samples > 0 ? concat("mean@", config.samples) : std::string("greedy");
  return concat("val-core/", set, "/acc/", measure);
}

void add_eval_metrics(const EvalResult& result, const EvalSection& config, Metrics& metrics) {
  const std::string core = "val-core/" + result.name + "/acc/",
                    aux = "val-aux/" + result.name + "/";
  if (config.greedy) metrics.set(core + "greedy", result.greedy);
  if (config.samples > 0) {
    metrics.set(core + concat("mean@", config.samples), result.mean_at_k);
    metrics.set(core + concat("pass@", config.samples), result.pass_at_k);
    metrics.set(core + concat("maj@", config.samples), result.maj_at_k);
  }
  metrics.set(aux + "length", result.mean_length);
  metrics.set(aux + "parsed", result.parsed_share);
  metrics.set(aux + "truncated", result.truncated_share);
  metrics.set(aux + "entropy", result.entropy);
  metrics.set(aux + "failed", static_cast<double>(result.num_failed));
}

std::vector<EvalResult> read_eval_results(const std::string& metrics_path, int64_t step,
                                          const EvalSection& config,
                                          const std::vector<EvalResult>& like) {
  std::vector<EvalResult> results;
  for (const auto& [line_step, metrics] : read_metrics(metrics_path)) {
    if (line_step != step) continue;
    const auto value = [&metrics = metrics](const std::string& name) {
      const double* found = metrics.find(name);
      return found ? *found : 0.0;
    };
    for (const EvalResult& known : like) {
      const std::string core = "val-core/" + known.name + "/acc/";
      EvalResult result;
      result.name = known.name;
      result.greedy = value(core + "greedy");
      result.mean_at_k = value(core + concat("mean@", config.samples));
      result.pass_at_k = value(core + concat("pass@", config.samples));
      result.parsed_share = value("val-aux/" + known.name + "/parsed");
      results.push_back(result);
    }
  }
  return results;
}

std::string eval_table(const std::vector<EvalResult>& before, const std::vector<EvalResult>& after,
                       const EvalSection& config) {
  std::string out;
  char line[256];
  const std::string sampled = concat("mean@", config.samples),
                    pass = concat("pass@", config.samples);
  std::snprintf(line, sizeof line, "  %-16s %8s  %-18s %-18s %-18s %s\n", "set", "problems",
                config.samples > 0 ? sampled.c_str() : "", config.samples > 0 ? pass.c_str() : "",
                config.greedy ? "greedy" : "", "answer found");
  out += line;
  for (const EvalResult& result : after) {
    const EvalResult* old = find(before, result.name);
    const auto show = [&](bool wanted, double EvalResult::*field) {
      return wanted ? cell(result.*field, old ? old->*field : 0, old != nullptr) : std::string();
    };
    std::snprintf(line, sizeof line, "  %-16s %8lld  %-18s %-18s %-18s %s\n", result.name.c_str(),
                  static_cast<long long>(result.num_problems),
                  show(config.samples > 0, &EvalResult::mean_at_k).c_str(),
                  show(config.samples > 0, &EvalResult::pass_at_k).c_str(),
                  show(config.greedy, &EvalResult::greedy).c_str(),
                  show(true, &EvalResult::parsed_share).c_str());
    out += line;
  }
  return out;
}

}  // namespace covrl
