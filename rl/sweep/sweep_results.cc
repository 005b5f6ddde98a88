#include "rl/sweep/sweep_results.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "rl/evaluation/best_step.h"
#include "rl/figure_text.h"
#include "rl/run_dir.h"
#include "rl/sweep/sweep_plan.h"

namespace covrl {
namespace {

constexpr const char* kAccuracy = "val-core/";

// "mean ± deviation unit": the deviation where there are several values; "-" for none.
std::string cell(const std::vector<double>& values, double scale, int digits,
                 const std::string& unit) {
  if (values.empty()) return "-";
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  for (const double value : values) squares += (value - sum / count) * (value - sum / count);
  const bool several = values.size() > 1;
  return with_deviation(
      scale * sum / count,
      several ? std::optional(scale * std::sqrt(squares / (count - 1))) : std::nullopt, digits,
      unit);
}

std::string percent_cell(const std::vector<double>& values) { return cell(values, 100, 1, " %"); }

std::vector<double> last_values(const VariantResult& result, const std::string& metric) {
  std::vector<double> values;
  for (const MetricCurve& curve : result.curves)
    if (const double* value = curve.back().second.find(metric)) values.push_back(*value);
  return values;
}

std::string set_of(const std::string& metric) {
  const std::string shown = accuracy_name(metric);
  return shown.substr(0, shown.find(", "));
}

// Accuracy metrics of all runs in order of first appearance.
std::vector<std::string> accuracy_metrics(const std::vector<const MetricCurve*>& curves) {
  std::vector<std::string> names;
  for (const MetricCurve* curve : curves)
    for (const auto& [step, metrics] : *curve)
      for (const auto& [name, value] : metrics.entries())
        if (name.starts_with(kAccuracy) && name.find("/acc/") != std::string::npos &&
            std::ranges::find(names, name) == names.end())
          names.push_back(name);
  return names;
}

std::vector<const MetricCurve*> all_curves(const SweepResult& result) {
  std::vector<const MetricCurve*> curves;
  for (const VariantResult& variant : result.variants)
    for (const MetricCurve& curve : variant.curves) curves.push_back(&curve);
  return curves;
}

std::string runs_cell(const VariantResult& result) {
  const std::string complete = std::to_string(result.runs.size());
  if (result.runs.size() == result.num_wanted) return complete;
  const std::string text = concat(complete, " of ", result.num_wanted);
  if (result.alarm_ends.empty()) return text;
  std::string steps;
  for (const AlarmEnd& end : result.alarm_ends)
    steps += concat(steps.empty() ? "" : ", ", end.step);
  const bool one = result.alarm_ends.size() == 1;
  return concat(text, ", ", result.alarm_ends.size(), " ended by an alarm at step",
                one ? " " : "s ", steps);
}

// "" where no alarm ended a run.
std::string alarm_note(const VariantResult& result) {
  std::string seeds;
  for (const AlarmEnd& end : result.alarm_ends)
    seeds += concat(seeds.empty() ? "" : ", ", "seed ", end.run.seed, " at step ", end.step);
  if (seeds.empty()) return "";
  return concat(result.variant.shown_name(), ": ", result.alarm_ends.size(), " of ",
                result.num_wanted, " runs ended by an alarm (", seeds,
                "); the means are of the others alone.");
}

}  // namespace

SweepResult read_results(const Sweep& sweep) {
  SweepResult result{sweep.section, {}, sweep.overrides};
  for (const SweepVariant& variant : sweep.section.variants.list) {
    VariantResult entry{variant, {}, {}, 0};
    for (const SweepRun& run : sweep.runs_of(variant.name)) {
      ++entry.num_wanted;
      const RunProgress progress = progress_of(run);
      if (progress.state == RunState::kEndedByAlarm)
        entry.alarm_ends.push_back({run, progress.step});
      if (progress.state != RunState::kComplete) continue;
      entry.runs.push_back(run);
      entry.curves.push_back(read_metrics(RunDir{run.dir}.file("metrics.jsonl")));
    }
    result.variants.push_back(std::move(entry));
  }
  return result;
}

AccuracyOfRuns accuracy_of(const VariantResult& result, const std::string& metric) {
  AccuracyOfRuns accuracy;
  for (const MetricCurve& curve : result.curves) {
    std::vector<std::pair<int64_t, double>> points;
    for (const auto& [step, metrics] : curve)
      if (const double* value = metrics.find(metric)) points.emplace_back(step, *value);
    if (points.empty()) continue;
    if (points.front().first == 0) accuracy.before.push_back(points.front().second);
    accuracy.last.push_back(points.back().second);
    const auto& [step, value] = points[best_place(points)];
    accuracy.best.push_back(value);
    accuracy.best_steps.push_back(step);
  }
  return accuracy;
}

std::vector<std::pair<double, double>> mean_curve(const VariantResult& result,
                                                  const std::string& metric) {
  std::vector<std::pair<double, double>> points;
  if (result.curves.empty()) return points;
  for (const auto& [step, metrics] : result.curves.front()) {
    double sum = 0;
    size_t count = 0;
    for (const MetricCurve& curve : result.curves) {
      const auto at = std::ranges::find(curve, step, &MetricCurve::value_type::first);
      const double* value = at == curve.end() ? nullptr : at->second.find(metric);
      if (value == nullptr) continue;
      sum += *value;
      ++count;
    }
    if (count == result.curves.size())
      points.emplace_back(static_cast<double>(step), sum / static_cast<double>(count));
  }
  return points;
}

std::vector<std::string> headline_metrics(const SweepResult& result) {
  const std::vector<std::string> all = accuracy_metrics(all_curves(result));
  std::vector<std::string> chosen;
  std::set<std::string> sets = {"train"};  // the training problems are no test
  for (const char* measure : {"/acc/mean@", "/acc/greedy"})
    for (const std::string& name : all)
      if (name.find(measure) != std::string::npos && sets.insert(set_of(name)).second)
        chosen.push_back(name);
  return chosen;
}

ReportTable headline_table(const SweepResult& result) {
  ReportTable table{"", {"variant", "runs"}, {}};
  const std::vector<std::string> metrics = headline_metrics(result);
  for (const std::string& metric : metrics)
    for (const char* when : {"before", "last step", "best"})
      table.columns.push_back(accuracy_name(metric) + ": " + when);
  for (const VariantResult& variant : result.variants) {
    std::vector<std::string> row = {variant.variant.shown_name(), runs_cell(variant)};
    for (const std::string& metric : metrics) {
      const AccuracyOfRuns accuracy = accuracy_of(variant, metric);
      for (const std::vector<double>* values : {&accuracy.before, &accuracy.last, &accuracy.best})
        row.push_back(percent_cell(*values));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable training_table(const SweepResult& result) {
  ReportTable table{"", {"variant", "reward", "entropy, nats a token", "tokens a completion"}, {}};
  for (const VariantResult& variant : result.variants)
    table.rows.push_back({variant.variant.shown_name(),
                          cell(last_values(variant, "critic/rewards/mean"), 1, 3, ""),
                          cell(last_values(variant, "rollout/entropy"), 1, 4, ""),
                          cell(last_values(variant, "response_length/mean"), 1, 1, "")});
  return table;
}

ReportTable measures_table(const SweepResult& result) {
  ReportTable table{
      "", {"variant", "set", "measure", "before", "last step", "best", "best at step"}, {}};
  for (const VariantResult& variant : result.variants) {
    std::vector<const MetricCurve*> curves;
    for (const MetricCurve& curve : variant.curves) curves.push_back(&curve);
    for (const std::string& metric : accuracy_metrics(curves)) {
      const AccuracyOfRuns accuracy = accuracy_of(variant, metric);
      std::string steps;
      for (const int64_t step : accuracy.best_steps)
        steps += (steps.empty() ? "" : ", ") + std::to_string(step);
      const std::string shown = accuracy_name(metric);
      table.rows.push_back({variant.variant.shown_name(), set_of(metric),
                            shown.substr(shown.find(", ") + 2), percent_cell(accuracy.before),
                            percent_cell(accuracy.last), percent_cell(accuracy.best), steps});
    }
  }
  return table;
}

std::vector<std::string> result_notes(const SweepResult& result) {
  std::vector<std::string> notes;
  const size_t num_seeds = result.section.seeds.size();
  if (num_seeds == 1)
    notes.emplace_back("One run each: how much of a difference is chance is not known.");
  else
    notes.push_back(concat("Mean ± sample standard deviation over ", num_seeds,
                           " runs that differ in their random seed alone."));
  notes.emplace_back(
      "\"Best\" is the best evaluation of each run, chosen on the very problems it is reported "
      "on, so it is too good; \"last step\" is not chosen.");
  for (const VariantResult& variant : result.variants)
    if (const std::string note = alarm_note(variant); !note.empty()) notes.push_back(note);
  for (const VariantResult& variant : result.variants)
    if (const size_t num_over = variant.runs.size() + variant.alarm_ends.size();
        num_over < variant.num_wanted)
      notes.push_back(concat(variant.variant.shown_name(), ": ", variant.num_wanted - num_over,
                             " of ", variant.num_wanted,
                             " runs did not come to their end and are left out."));
  return notes;
}

}  // namespace covrl
