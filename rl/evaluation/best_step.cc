#include "rl/evaluation/best_step.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/joined.h"
#include "rl/figure_text.h"

namespace covrl {
namespace {

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Over the sets `names`; NaN without any.
double average(const StepAccuracy& step, const std::vector<std::string>& names) {
  double sum = 0, count = 0;
  for (const auto& [name, accuracy] : step.sets)
    if (is_one_of(names, name)) sum += accuracy, ++count;
  return sum / count;
}

std::vector<std::string> names_of(const StepAccuracy& step) {
  std::vector<std::string> names;
  for (const auto& [name, accuracy] : step.sets) names.push_back(name);
  return names;
}

std::string line_of(const char* what, const StepAccuracy& step,
                    const std::vector<std::string>& reported) {
  std::string text = concat(what, " (", step.step, "): ");
  for (size_t i = 0; i < step.sets.size(); ++i)
    text += concat(i == 0 ? "" : ", ", step.sets[i].first, " ", percent(step.sets[i].second));
  if (reported.size() < 2) return text;
  return concat(text, "; average ", reported.size() < step.sets.size() ? "of the others " : "",
                percent(average(step, reported)));
}

}  // namespace

std::vector<StepAccuracy> step_accuracies(const std::vector<EvalResult>& results) {
  std::map<int64_t, StepAccuracy> by_step;
  size_t num_sets = 0;
  for (const EvalResult& result : results) {
    StepAccuracy& step = by_step[result.step.value_or(0)];
    step.step = result.step.value_or(0);
    step.sets.emplace_back(result.name, result.main().accuracy);
    num_sets = std::max(num_sets, step.sets.size());
  }
  std::vector<StepAccuracy> steps;
  for (auto& [step, accuracy] : by_step)
    if (accuracy.sets.size() == num_sets) steps.push_back(std::move(accuracy));
  return steps;
}

std::vector<StepAccuracy> step_accuracies(
    const std::vector<std::pair<int64_t, Metrics>>& steps,
    const std::vector<std::pair<std::string, std::string>>& metrics) {
  std::vector<StepAccuracy> accuracies;
  for (const auto& [step, values] : steps) {
    StepAccuracy accuracy{step, {}};
    for (const auto& [set, metric] : metrics)
      if (const double* value = values.find(metric)) accuracy.sets.emplace_back(set, *value);
    if (!metrics.empty() && accuracy.sets.size() == metrics.size())
      accuracies.push_back(std::move(accuracy));
  }
  return accuracies;
}

size_t best_place(const std::vector<std::pair<int64_t, double>>& results) {
  COVRL_CHECK(!results.empty());
  std::optional<size_t> best, start;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& [step, value] = results[i];
    if (!std::isfinite(value)) continue;
    if (step == 0) {
      start = i;
    } else if (!best || value >= results[*best].second) {
      best = i;
    }
  }
  return best ? *best : start.value_or(results.size() - 1);
}

const StepAccuracy& best_step(const std::vector<StepAccuracy>& steps,
                              const std::vector<std::string>& choose_on) {
  COVRL_CHECK(!steps.empty());
  const std::vector<std::string> known = names_of(steps.front());
  for (const std::string& name : choose_on)
    if (!is_one_of(known, name))
      throw_usage("no set '", name, "' to choose the step on; sets are ", joined(known));
  const std::vector<std::string>& names = choose_on.empty() ? known : choose_on;
  std::vector<std::pair<int64_t, double>> averages;
  for (const StepAccuracy& step : steps) averages.emplace_back(step.step, average(step, names));
  return steps[best_place(averages)];
}

ReportTable step_table(const std::vector<StepAccuracy>& steps) {
  ReportTable table{"Accuracy of the checkpoints", {"step"}, {}};
  if (steps.empty()) return table;
  const std::vector<std::string> names = names_of(steps.front());
  table.columns.insert(table.columns.end(), names.begin(), names.end());
  if (names.size() > 1) table.columns.emplace_back("average");
  for (const StepAccuracy& step : steps) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(std::to_string(step.step));
    for (const auto& [name, accuracy] : step.sets) row.push_back(percent(accuracy));
    if (names.size() > 1) row.push_back(percent(average(step, names)));
  }
  return table;
}

LastAndBest last_and_best(const std::vector<StepAccuracy>& steps,
                          const std::vector<std::string>& choose_on) {
  if (steps.empty()) return {};
  const StepAccuracy& best = best_step(steps, choose_on);
  const std::vector<std::string> all = names_of(best);
  std::vector<std::string> reported;
  for (const std::string& name : all)
    if (!is_one_of(choose_on, name)) reported.push_back(name);
  const bool chosen_on_reported = choose_on.empty() || reported.empty();
  if (chosen_on_reported) reported = all;
  const std::string chosen = joined(choose_on.empty() ? all : choose_on);
  LastAndBest told{concat(line_of("Last step", steps.back(), reported), "\n",
                          line_of("Best step", best, reported), "; chosen on ", chosen),
                   ""};
  if (chosen_on_reported && best.step != steps.back().step)
    told.warning = concat("the best step was chosen on ", chosen,
                          " itself, so that its figures are too good: report the last step, or "
                          "choose on another set (covrl eval --run DIR --choose-on SET)");
  return told;
}

}  // namespace covrl
