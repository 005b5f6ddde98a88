#include "rl/report/report.h"

#include <optional>

#include "core/jsonl.h"
#include "core/metrics.h"
#include "rl/report/dynamics_tables.h"
#include "rl/report/html_page.h"
#include "rl/report/report_tables.h"
#include "rl/report/run_data.h"
#include "rl/report/solutions_page.h"
#include "rl/report/svg_chart.h"
#include "rl/saturation.h"

namespace covrl {
namespace {

Series series_of(const RunData& run, const std::string& metric, const std::string& label) {
  Series series{label, {}};
  for (const auto& [step, metrics] : run.metrics)
    if (const double* value = metrics.find(metric))
      series.points.emplace_back(static_cast<double>(step), *value);
  return series;
}

std::string label_of(const std::vector<RunData>& runs, const RunData& run,
                     const std::string& what) {
  if (runs.size() == 1) return what;
  return what.empty() ? run.name : run.name + " " + what;
}

// Training accuracy of each step's rollout, which no metric is.
void add_training_accuracy(const std::vector<RunData>& runs, Chart& chart) {
  for (const RunData& run : runs) {
    Series series{label_of(runs, run, "training rollouts"), {}};
    for (const auto& [step, metrics] : run.metrics)
      if (const std::optional<double> accuracy = training_accuracy(metrics))
        series.points.emplace_back(static_cast<double>(step), *accuracy);
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
}

// A line where each run saturated.
std::vector<Marker> saturation_markers(const std::vector<RunData>& runs, double accuracy) {
  std::vector<Marker> markers;
  for (const RunData& run : runs)
    if (const std::optional<int64_t> since = saturated_since(run, accuracy))
      markers.push_back({static_cast<double>(*since),
                         run.name + " is saturated since step " + std::to_string(*since)});
  return markers;
}

Chart chart_of(const std::vector<RunData>& runs, const std::string& title,
               const std::string& explanation, Unit unit,
               const std::vector<std::pair<std::string, std::string>>& metrics) {
  Chart chart{title, explanation, unit, {}};
  for (const RunData& run : runs)
    for (const auto& [metric, label] : metrics) {
      Series series = series_of(run, metric, label_of(runs, run, label));
      if (!series.points.empty()) chart.series.push_back(std::move(series));
    }
  return chart;
}

// What entropy control and the entropy watch logged; a chart without such metrics is not drawn.
std::string entropy_charts(const std::vector<RunData>& runs) {
  std::string out = draw_chart(chart_of(
      runs, "Covariance.",
      "Of log-prob and advantage: where it is positive, the step lowers entropy.", Unit::kPlain,
      {{"entropy_ctrl/cov_mean", "of the batch"},
       {"entropy_ctrl/cov_top_0.2pct", "mean of the largest 0.2 %"}}));
  out += draw_chart(chart_of(runs, "Selected tokens.", "Share that entropy control acted on.",
                             Unit::kPercent, {{"entropy_ctrl/selected_frac", "selected"}}));
  out += draw_chart(chart_of(runs, "Entropy change, predicted and measured.",
                             "Of the step before, from its covariance and earlier steps alone.",
                             Unit::kPlain,
                             {{"entropy_ctrl/delta_predicted", "predicted"},
                              {"entropy_ctrl/delta_measured", "measured"}}));
  out += draw_chart(chart_of(runs, "Entropy change in the same states.",
                             "First-order value against what was measured after the updates.",
                             Unit::kPlain,
                             {{"entropy_ctrl/delta_first_order", "first order"},
                              {"entropy_ctrl/delta_same_states", "measured"}}));
  return out + draw_chart(chart_of(runs, "Predicted ceiling.",
                                   "b - a of the law R = -a e^H + b, fitted up to there.",
                                   Unit::kPercent, {{"ceiling/predicted", "ceiling"}}));
}

// Of each set the pass@k of the largest k, which is the last that is logged.
std::vector<std::string> largest_passes(const std::vector<RunData>& runs) {
  const std::string measure = "/acc/pass@";
  std::vector<std::string> largest;
  for (const std::string& name : metric_names(runs, "val-core/", measure)) {
    const std::string set = name.substr(0, name.find(measure) + measure.size());
    if (!largest.empty() && largest.back().starts_with(set)) largest.pop_back();
    largest.push_back(name);
  }
  return largest;
}

std::string charts(const std::vector<RunData>& runs, double saturation_accuracy) {
  const std::vector<Marker> markers = saturation_markers(runs, saturation_accuracy);
  const auto draw_marked = [&](Chart chart) {
    chart.markers = markers;
    return draw_chart(chart);
  };
  std::vector<std::pair<std::string, std::string>> accuracy;
  for (const std::string& name : metric_names(runs, "val-core/", "/acc/mean@"))
    accuracy.emplace_back(name, accuracy_name(name));
  std::vector<std::pair<std::string, std::string>> best;
  for (const std::string& name : largest_passes(runs)) best.emplace_back(name, accuracy_name(name));
  for (const std::string& name : metric_names(runs, "val-core/", "/acc/greedy"))
    best.emplace_back(name, accuracy_name(name));
  std::string out = "<div class=\"charts\">";
  Chart accuracies =
      chart_of(runs, "Accuracy.",
               markers.empty() ? "Sampled completions, mean over problems."
                               : "Sampled completions, mean over problems. Dashed: the training "
                                 "examples are solved from there on.",
               Unit::kPercent, accuracy);
  add_training_accuracy(runs, accuracies);
  out += draw_marked(std::move(accuracies));
  out += draw_chart(chart_of(runs, "pass@k and greedy.",
                             "What the policy can reach, and its single best guess.",
                             Unit::kPercent, best));
  out += draw_chart(chart_of(runs, "Reward.", "Training completions of each step.", Unit::kPlain,
                             {{"critic/rewards/mean", "mean reward"}, {"train/loss", "loss"}}));
  out += draw_marked(
      chart_of(runs, "Entropy.",
               "Nats a token; near zero the policy no longer explores, which caps accuracy.",
               Unit::kPlain, {{"rollout/entropy", "at sampling"}}));
  out +=
      draw_marked(chart_of(runs, "Length.", "Tokens a completion.", Unit::kPlain,
                           {{"response_length/mean", "mean"}, {"response_length/max", "longest"}}));
  out += draw_marked(chart_of(runs, "Degenerate responses.",
                              "Share that says one token or phrase over and over.", Unit::kPercent,
                              degenerate_metrics(runs)));
  out += draw_chart(
      chart_of(runs, "Update.", "Gradient norm before clipping.", Unit::kPlain,
               {{"actor/grad_norm", "gradient norm"}, {"train/grad_norm", "gradient norm"}}));
  out += entropy_charts(runs);
  return out + "</div>\n";
}

std::string page(const std::vector<RunData>& runs, double saturation_accuracy) {
  std::string title = runs.size() == 1 ? runs[0].name : std::to_string(runs.size()) + " runs";
  std::string out = "<h1>" + escape_html(title) + "</h1>";
  for (const RunData& run : runs)
    out += "<p>" + escape_html(run.name) + ": " +
           (run.dirs.size() == 1 ? "" : "mean of " + std::to_string(run.dirs.size()) + " runs, ") +
           "steps " + std::to_string(run.metrics.front().first) + " to " +
           std::to_string(run.metrics.back().first) + ", covrl " COVRL_VERSION "</p>";
  out += to_html(accuracy_table(runs)) + to_html(saturation_table(runs, saturation_accuracy)) +
         to_html(entropy_table(runs)) + to_html(alarm_table(runs)) + "<h2>Curves</h2>" +
         charts(runs, saturation_accuracy);
  for (const RunData& run : runs) {
    out += responses_over_time(run.samples, saturated_since(run, saturation_accuracy),
                               "Responses to a training example over time: " + run.name);
    out += solutions(run.samples, "Training completions, first and last step: " + run.name, 3);
    out += solutions(run.eval_samples,
                     "Evaluation completions, first and last evaluation: " + run.name, 4);
    if (!run.config.empty())
      out += "<details><summary>Configuration of " + escape_html(run.name) + "</summary><pre>" +
             escape_html(run.config) + "</pre></details>";
  }
  return html_page(title, out);
}

}  // namespace

void write_report(const std::vector<std::string>& arguments, const std::string& path,
                  double saturation_accuracy) {
  std::vector<RunData> runs;
  for (const std::string& argument : arguments) runs.push_back(read_run(argument));
  write_file_atomically(path, page(runs, saturation_accuracy));
}

std::string report_markdown(const std::vector<std::string>& arguments, double saturation_accuracy) {
  std::vector<RunData> runs;
  for (const std::string& argument : arguments) runs.push_back(read_run(argument));
  return to_markdown(accuracy_table(runs)) +
         to_markdown(saturation_table(runs, saturation_accuracy)) +
         to_markdown(entropy_table(runs)) + to_markdown(alarm_table(runs));
}

}  // namespace covrl
