#include "rl/report/dynamics_tables.h"

#include "core/error.h"
#include "rl/figure_text.h"
#include "rl/saturation.h"

namespace covrl {
namespace {

enum class Kind { kAccuracy, kShare, kPlain };

std::string shown(Kind kind, double value) {
  return kind == Kind::kPlain ? figure("%.4g", value) : percent(value);
}

std::string shown_change(Kind kind, double value) {
  return kind == Kind::kPlain ? figure("%+.4g", value) : figure("%+.1f points", 100 * value);
}

std::string at_step(const std::string& value, int64_t step) {
  return concat(value, " (step ", step, ")");
}

// The rows of a run with its training accuracy as a metric.
MetricRows with_training_accuracy(const RunData& run) {
  MetricRows rows = run.metrics;
  for (auto& [step, row] : rows)
    if (const std::optional<double> accuracy = training_accuracy(row))
      row.set("training accuracy", *accuracy);
  return rows;
}

struct Measure {
  std::string name, metric;
  Kind kind;
};

std::vector<Measure> measures_of(const RunData& run) {
  std::vector<Measure> measures;
  for (const char* what : {"/acc/mean@", "/acc/greedy"}) {
    for (const std::string& name : metric_names({run}, "val-core/", what))
      measures.push_back({accuracy_name(name), name, Kind::kAccuracy});
    if (!measures.empty()) break;
  }
  measures.push_back({"training accuracy", "training accuracy", Kind::kShare});
  measures.push_back({"entropy, nats", "rollout/entropy", Kind::kPlain});
  measures.push_back({"response length, tokens", "response_length/mean", Kind::kPlain});
  for (const auto& [name, where] : degenerate_metrics({run}))
    measures.push_back({"degenerate responses, " + where, name, Kind::kShare});
  return measures;
}

std::string text_of(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end()) return "";
  if (found->is_number_float()) return figure("%.4g", found->get<double>());
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

std::optional<int64_t> saturated_since(const RunData& run, double accuracy) {
  SaturationWatch watch(accuracy);
  watch.replay(run.metrics);
  return watch.since();
}

std::vector<std::pair<std::string, std::string>> degenerate_metrics(
    const std::vector<RunData>& runs) {
  const std::string prefix = "val-aux/", measure = "/degenerate";
  std::vector<std::pair<std::string, std::string>> metrics = {
      {"rollout/degenerate", "in training"}};
  for (const std::string& name : metric_names(runs, prefix, measure))
    metrics.emplace_back(name,
                         name.substr(prefix.size(), name.size() - prefix.size() - measure.size()));
  return metrics;
}

ReportTable saturation_table(const std::vector<RunData>& runs, double accuracy) {
  ReportTable table{
      "After saturation",
      {"run", "saturated since", "measure", "then", "at the end", "change", "best since"},
      {}};
  for (const RunData& run : runs) {
    const std::optional<int64_t> since = saturated_since(run, accuracy);
    if (!since) continue;
    const MetricRows rows = with_training_accuracy(run);
    for (const Measure& measure : measures_of(run)) {
      const std::optional<MovedSince> moved = moved_since(rows, measure.metric, *since);
      if (!moved) continue;
      table.rows.push_back({run.name, concat("step ", *since), measure.name,
                            at_step(shown(measure.kind, moved->before), moved->before_step),
                            at_step(shown(measure.kind, moved->last), moved->last_step),
                            shown_change(measure.kind, moved->last - moved->before),
                            measure.kind == Kind::kAccuracy
                                ? at_step(shown(measure.kind, moved->best), moved->best_step)
                                : ""});
    }
  }
  return table;
}

ReportTable alarm_table(const std::vector<RunData>& runs) {
  ReportTable table{"Alarms", {"run", "step", "alarm", "value", "threshold", "what happened"}, {}};
  for (const RunData& run : runs)
    for (const Json& row : run.alarms) {
      const bool is_rollback = text_of(row, "event") == "rollback";
      table.rows.push_back({run.name, text_of(row, "step"), text_of(row, "alarm"),
                            text_of(row, "value"), text_of(row, "threshold"),
                            is_rollback ? "rolled back; steps given up: " + text_of(row, "given_up")
                                        : "rang; action " + text_of(row, "action")});
    }
  return table;
}

}  // namespace covrl
