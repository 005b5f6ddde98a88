#include <algorithm>
#include <cmath>

#include "rl/figure_text.h"
#include "rl/report/entropy_report.h"
#include "rl/report/html_page.h"
#include "rl/report/svg_chart.h"

namespace covrl {
namespace {

constexpr int kCurvePoints = 60;
constexpr size_t kMaxSelected = 40;

using Points = std::vector<std::pair<double, double>>;

std::string label(const std::vector<EntropyFindings>& runs, const EntropyFindings& run,
                  const std::string& what) {
  return runs.size() == 1 ? what : run.name + ", " + what;
}

// The fitted law from no entropy to the highest seen.
Points curve_of(const EntropyFindings& run) {
  double highest = 0;
  for (const LawPoint& point : run.points) highest = std::max(highest, point.entropy);
  Points curve;
  for (int i = 0; i <= kCurvePoints; ++i) {
    const double entropy = highest * i / kCurvePoints;
    curve.emplace_back(entropy, run.fit.predict(entropy).value);
  }
  return curve;
}

Chart law_chart(const std::vector<EntropyFindings>& runs) {
  Chart chart{"R against H.",
              "Each point is an evaluation and the entropy of the rollout with the same weights; "
              "the curve is -a e^H + b, which meets H = 0 at the ceiling.",
              Unit::kPercent,
              {},
              "entropy, nats a token"};
  for (const EntropyFindings& run : runs) {
    Points points;
    for (const LawPoint& point : run.points) points.emplace_back(point.entropy, point.reward);
    if (points.empty()) continue;
    chart.series.push_back({label(runs, run, "evaluations"), points, Mark::kDots});
    if (run.fit.reason_for_silence().empty())
      chart.series.push_back({label(runs, run, "law"), curve_of(run)});
  }
  return chart;
}

Chart entropy_chart(const std::vector<EntropyFindings>& runs) {
  Chart chart{"Entropy over time.", "Nats a token, of each step's rollout.", Unit::kPlain, {}};
  for (const EntropyFindings& run : runs)
    chart.series.push_back(
        {label(runs, run, "at sampling"), Points(run.entropy.begin(), run.entropy.end())});
  return chart;
}

// Dots and the line on which both axes agree.
Chart agreement_chart(const std::string& title, const std::string& explanation,
                      const std::string& x_name, std::vector<Series> clouds) {
  double low = 0, high = 0;
  bool any = false;
  for (const Series& cloud : clouds)
    for (const auto& [x, y] : cloud.points) {
      low = std::min(low, x);
      high = std::max(high, x);
      any = true;
    }
  Chart chart{title, explanation, Unit::kPlain, std::move(clouds), x_name};
  if (any) chart.series.push_back({"equal", {{low, low}, {high, high}}});
  return chart;
}

Chart change_chart(const std::vector<EntropyFindings>& runs) {
  std::vector<Series> clouds;
  for (const EntropyFindings& run : runs) {
    Points points;
    for (const EntropyWatch::Change& change : run.changes)
      if (change.outcome.predicted)
        points.emplace_back(*change.outcome.predicted, change.outcome.measured);
    clouds.push_back({label(runs, run, "steps"), points, Mark::kDots});
  }
  return agreement_chart("Entropy change of a step.",
                         "Measured (upwards) against predicted from the step's covariance and "
                         "earlier steps alone; measured on the next step's prompts.",
                         "predicted, nats a token", std::move(clouds));
}

Chart rescored_chart(const std::vector<EntropyFindings>& runs) {
  std::vector<Series> clouds;
  for (const EntropyFindings& run : runs) {
    Points points;
    for (const RescoredStep& step : run.rescored)
      points.emplace_back(step.first_order, step.measured);
    clouds.push_back({label(runs, run, "steps"), points, Mark::kDots});
  }
  return agreement_chart("Entropy change in the same states.",
                         "Measured after a step's updates (upwards) against the first-order value.",
                         "first order, nats a token", std::move(clouds));
}

std::string cell(double value) {
  if (!std::isfinite(value)) return "<td></td>";
  return figure("<td class=\"n\">%.4f</td>", value);
}

std::string law_row(const EntropyFindings& run) {
  std::string out = "<tr><td>" + escape_html(run.name) + "</td><td>" + escape_html(run.accuracy) +
                    "</td><td class=\"n\">" + std::to_string(run.points.size()) + "</td>";
  const std::string reason = run.fit.reason_for_silence();
  if (reason.empty()) {
    for (const Estimate& estimate : {run.fit.a, run.fit.b, run.fit.ceiling()})
      out += cell(estimate.value) + cell(estimate.standard_error);
    out += cell(run.fit.r_squared);
  } else {
    out += "<td colspan=\"7\">the fit says nothing: " + escape_html(reason) + "</td>";
  }
  if (!std::isnan(run.early.actual) && run.early.fit.reason_for_silence().empty())
    out += cell(run.early.final_reward.value) + cell(run.early.final_reward.standard_error) +
           cell(run.early.actual);
  else
    out += "<td colspan=\"3\"></td>";
  return out + "</tr>";
}

std::string law_table(const std::vector<EntropyFindings>& runs) {
  std::string out =
      "<h2>The law</h2><table><tr><th>run</th><th>R</th><th>points</th><th>a</th><th>&plusmn;</th>"
      "<th>b</th><th>&plusmn;</th><th>ceiling b - a</th><th>&plusmn;</th><th>R&sup2;</th>"
      "<th>final R from the first points</th><th>&plusmn;</th><th>actual</th></tr>";
  for (const EntropyFindings& run : runs) out += law_row(run);
  return out + "</table>\n";
}

std::string shares_table(const EntropyFindings& run) {
  if (run.top_shares.empty()) return "";
  std::string out = "<h2>Covariance of the top tokens: " + escape_html(run.name) +
                    "</h2><table><tr><th>step</th>";
  for (const auto& [share, mean] : run.top_shares.front().means)
    out += "<th>" + escape_html(share) + "</th>";
  out += "</tr>";
  const size_t last = run.top_shares.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    if (i != 0 && i != last && i != last / 2) continue;
    out += "<tr><td>" + std::to_string(run.top_shares[i].step) + "</td>";
    for (const auto& [share, mean] : run.top_shares[i].means) out += cell(mean);
    out += "</tr>";
  }
  return out + "</table>\n";
}

std::string selected_table(const EntropyFindings& run) {
  if (run.selected.empty()) return "";
  std::string out = "<h2>Selected tokens: " + escape_html(run.name) +
                    "</h2><table><tr><th>token</th><th>times</th><th>log-prob</th>"
                    "<th>covariance</th><th>A &lt; 0</th><th>example</th></tr>";
  for (size_t i = 0; i < std::min(kMaxSelected, run.selected.size()); ++i) {
    const SelectedText& entry = run.selected[i];
    out += "<tr><td><code>" + escape_html(entry.text) + "</code></td><td class=\"n\">" +
           std::to_string(entry.count) + "</td>" + cell(entry.mean_logprob) +
           cell(entry.mean_covariance) + cell(entry.negative_share) + "<td>" +
           escape_html(entry.before) + "<b>" + escape_html(entry.text) + "</b>" +
           escape_html(entry.after) + "</td></tr>";
  }
  return out + "</table>\n";
}

}  // namespace

std::string entropy_page(const std::vector<EntropyFindings>& runs) {
  const std::string title = runs.size() == 1
                                ? "Entropy of " + runs[0].name
                                : "Entropy of " + std::to_string(runs.size()) + " runs";
  std::string out = "<h1>" + escape_html(title) + "</h1>" + law_table(runs) +
                    "<h2>Curves</h2><div class=\"charts\">" + draw_chart(law_chart(runs)) +
                    draw_chart(entropy_chart(runs)) + draw_chart(change_chart(runs)) +
                    draw_chart(rescored_chart(runs)) + "</div>\n";
  for (const EntropyFindings& run : runs) out += shares_table(run) + selected_table(run);
  return html_page(title, out);
}

}  // namespace covrl
