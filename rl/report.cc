#include "rl/report.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/jsonl.h"
#include "core/metrics.h"
#include "rl/html_page.h"
#include "rl/report_tables.h"
#include "rl/run_data.h"
#include "rl/svg_chart.h"

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

std::string charts(const std::vector<RunData>& runs) {
  std::vector<std::pair<std::string, std::string>> accuracy;
  for (const std::string& name : metric_names(runs, "val-core/", "/acc/mean@"))
    accuracy.emplace_back(name, accuracy_name(name));
  std::vector<std::pair<std::string, std::string>> best;
  for (const std::string& name : largest_passes(runs)) best.emplace_back(name, accuracy_name(name));
  for (const std::string& name : metric_names(runs, "val-core/", "/acc/greedy"))
    best.emplace_back(name, accuracy_name(name));
  std::string out = "<div class=\"charts\">";
  out += draw_chart(chart_of(runs, "Accuracy.", "Sampled completions, mean over problems.",
                             Unit::kPercent, accuracy));
  out += draw_chart(chart_of(runs, "pass@k and greedy.",
                             "What the policy can reach, and its single best guess.",
                             Unit::kPercent, best));
  out += draw_chart(chart_of(runs, "Reward.", "Training completions of each step.", Unit::kPlain,
                             {{"critic/rewards/mean", "mean reward"}, {"train/loss", "loss"}}));
  out += draw_chart(
      chart_of(runs, "Entropy.",
               "Nats a token; near zero the policy no longer explores, which caps accuracy.",
               Unit::kPlain, {{"rollout/entropy", "at sampling"}}));
  out +=
      draw_chart(chart_of(runs, "Length.", "Tokens a completion.", Unit::kPlain,
                          {{"response_length/mean", "mean"}, {"response_length/max", "longest"}}));
  out += draw_chart(
      chart_of(runs, "Update.", "Gradient norm before clipping.", Unit::kPlain,
               {{"actor/grad_norm", "gradient norm"}, {"train/grad_norm", "gradient norm"}}));
  out += entropy_charts(runs);
  return out + "</div>\n";
}

std::string text_of(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string solution(const Json& row) {
  const std::string outcome = text_of(row, "outcome");
  return "<article class=\"" + escape_html(outcome) + "\"><header>step " + text_of(row, "step") +
         " &middot; " + escape_html(outcome) + " &middot; found <code>" +
         escape_html(text_of(row, "extracted")) + "</code>, gold <code>" +
         escape_html(text_of(row, "gold")) + "</code></header><pre class=\"q\">" +
         escape_html(text_of(row, "prompt")) + "</pre><pre>" +
         escape_html(text_of(row, "response")) + "</pre></article>";
}

// A few completions of the first and of the last step that the file holds.
std::string solutions(const std::vector<Json>& rows, const std::string& title, size_t limit) {
  if (rows.empty()) return "";
  std::string out = "<h2>" + escape_html(title) + "</h2><div class=\"solutions\">";
  for (const std::string& step : {text_of(rows.front(), "step"), text_of(rows.back(), "step")}) {
    size_t shown = 0;
    std::set<std::string> prompts;  // different problems first
    for (const Json& row : rows) {
      if (text_of(row, "step") != step || shown == limit) continue;
      if (!prompts.insert(text_of(row, "prompt")).second && rows.front() != row &&
          prompts.size() > 1)
        continue;
      out += solution(row);
      ++shown;
    }
    if (text_of(rows.front(), "step") == text_of(rows.back(), "step")) break;
  }
  return out + "</div>\n";
}

std::string page(const std::vector<RunData>& runs) {
  std::string title = runs.size() == 1 ? runs[0].name : std::to_string(runs.size()) + " runs";
  std::string out = "<h1>" + escape_html(title) + "</h1>";
  for (const RunData& run : runs)
    out += "<p>" + escape_html(run.name) + ": " +
           (run.dirs.size() == 1 ? "" : "mean of " + std::to_string(run.dirs.size()) + " runs, ") +
           "steps " + std::to_string(run.metrics.front().first) + " to " +
           std::to_string(run.metrics.back().first) + ", covrl " COVRL_VERSION "</p>";
  out += to_html(accuracy_table(runs)) + to_html(entropy_table(runs)) + "<h2>Curves</h2>" +
         charts(runs);
  for (const RunData& run : runs) {
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

void write_report(const std::vector<std::string>& arguments, const std::string& path) {
  std::vector<RunData> runs;
  for (const std::string& argument : arguments) runs.push_back(read_run(argument));
  write_file_atomically(path, page(runs));
}

std::string report_markdown(const std::vector<std::string>& arguments) {
  std::vector<RunData> runs;
  for (const std::string& argument : arguments) runs.push_back(read_run(argument));
  return to_markdown(accuracy_table(runs)) + to_markdown(entropy_table(runs));
}

}  // namespace covrl
