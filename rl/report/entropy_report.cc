#include "rl/report/entropy_report.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {
namespace {

constexpr size_t kMaxRows = 12;      // of the table of changes
constexpr size_t kMaxSelected = 10;  // texts of selected tokens

// printf into a string.
__attribute__((format(printf, 1, 2))) std::string line(const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

std::string with_error(const Estimate& estimate) {
  if (std::isnan(estimate.standard_error)) return line("%.4f", estimate.value);
  return line("%.4f +- %.4f", estimate.value, estimate.standard_error);
}

std::string law_text(const EntropyFindings& run) {
  if (run.accuracy.empty())
    return "Law R = -a e^H + b: the run was not evaluated (eval.files, eval.every)\n";
  std::string out = "Law R = -a e^H + b, R = " + run.accuracy + "\n";
  if (run.points.empty())
    return out + "  no evaluation has been followed by a rollout with the same weights yet\n";
  out += line("  points       %zu, after steps %lld to %lld: H %.4f to %.4f, R %.4f to %.4f\n",
              run.points.size(), static_cast<long long>(run.points.front().step),
              static_cast<long long>(run.points.back().step), run.points.front().entropy,
              run.points.back().entropy, run.points.front().reward, run.points.back().reward);
  const std::string reason = run.fit.reason_for_silence();
  if (!reason.empty()) return out + "  the fit says nothing: " + reason + "\n";
  const Estimate ceiling = run.fit.ceiling();
  out += "  a            " + with_error(run.fit.a) + "\n";
  out += "  b            " + with_error(run.fit.b) + "\n";
  out += line("  R^2          %.4f\n", run.fit.r_squared);
  out += "  ceiling      " + with_error(ceiling) + " = b - a, the reward at H = 0\n";
  return out + line("  headroom     %.4f above the curve at the last entropy\n",
                    ceiling.value - run.fit.predict(run.points.back().entropy).value);
}

std::string early_text(const EntropyFindings& run) {
  if (run.points.empty()) return "";
  const EarlyPrediction& early = run.early;
  if (std::isnan(early.actual))
    return line(
        "Early prediction: %zu points leave nothing to predict; evaluate more often "
        "(eval.every)\n",
        run.points.size());
  std::string out = line("Early prediction, from the first %zu of %zu points\n",
                         early.fit.num_points, run.points.size());
  const std::string reason = early.fit.reason_for_silence();
  if (!reason.empty()) return out + "  the fit says nothing: " + reason + "\n";
  out += "  final R      " + with_error(early.final_reward) + ", given the final entropy\n";
  return out + line("  actual       %.4f: error %.4f; over the rest of the curve %.4f (RMSE)\n",
                    early.actual, early.error, early.rmse_rest);
}

std::string change_row(const EntropyWatch::Change& change) {
  const ChangeForecast::Outcome& outcome = change.outcome;
  return line("  %6lld  %11.6f  ", static_cast<long long>(change.step), change.covariance) +
         (outcome.predicted ? line("%+11.6f", *outcome.predicted) : std::string(10, ' ') + "-") +
         line("  %+11.6f\n", outcome.measured);
}

// Correlation of the predictions that were made with what came of them.
std::optional<double> forecast_correlation(const EntropyFindings& run) {
  std::vector<double> predicted, measured;
  for (const EntropyWatch::Change& change : run.changes) {
    if (!change.outcome.predicted) continue;
    predicted.push_back(*change.outcome.predicted);
    measured.push_back(change.outcome.measured);
  }
  return correlation(predicted, measured);
}

std::string or_dash(const std::optional<double>& value) {
  return value ? line("%+.3f", *value) : std::string("-");
}

std::string changes_text(const EntropyFindings& run) {
  if (run.changes.empty())
    return "Entropy change: no step with a covariance (entropy_ctrl/cov_mean) yet\n";
  std::string out =
      "Entropy change of a step, predicted from its covariance and earlier steps\n"
      "    step   covariance    predicted     measured\n";
  const size_t count = run.changes.size(), rows = std::min(count, kMaxRows);
  for (size_t i = 0; i < rows; ++i)
    out += change_row(run.changes[rows == 1 ? 0 : i * (count - 1) / (rows - 1)]);
  out += line("  %zu of %zu steps shown", rows, count);
  out += "; correlation of -covariance and change " +
         or_dash(run.changes.back().outcome.correlation) + ", of prediction and change " +
         or_dash(forecast_correlation(run)) + "\n";
  return out;
}

std::string rescored_text(const EntropyFindings& run) {
  if (run.rescored.empty()) return "";
  std::vector<double> measured, first_order;
  double error = 0, size = 0;
  for (const RescoredStep& step : run.rescored) {
    measured.push_back(step.measured);
    first_order.push_back(step.first_order);
    error += std::abs(step.measured - step.first_order);
    size += std::abs(step.measured);
  }
  return line("In the same states (rescore), %zu steps: first order against measured, correlation ",
              run.rescored.size()) +
         or_dash(correlation(first_order, measured)) +
         line(", mean error %.6f of mean size %.6f\n", error / static_cast<double>(measured.size()),
              size / static_cast<double>(measured.size()));
}

std::string shares_text(const EntropyFindings& run) {
  if (run.top_shares.empty()) return "";
  std::string out = "Covariance of the top tokens, mean of each share\n    step";
  for (const auto& [share, mean] : run.top_shares.front().means) out += line("%11s", share.c_str());
  out += "\n";
  for (const TopShares* shares : {&run.top_shares.front(), &run.top_shares.back()}) {
    out += line("  %6lld", static_cast<long long>(shares->step));
    for (const auto& [share, mean] : shares->means) out += line("%11.4f", mean);
    out += "\n";
    if (run.top_shares.size() == 1) break;
  }
  return out;
}

std::string selected_text(const EntropyFindings& run) {
  if (run.selected.empty()) return "";
  std::string out = line(
      "Selected tokens, %lld logged, %zu different\n"
      "   times  log-prob  covariance  A < 0  text\n",
      static_cast<long long>(run.num_selected), run.selected.size());
  for (size_t i = 0; i < std::min(kMaxSelected, run.selected.size()); ++i) {
    const SelectedText& entry = run.selected[i];
    out += line("  %6lld  %8.3f  %10.4f  %4.0f%%  ", static_cast<long long>(entry.count),
                entry.mean_logprob, entry.mean_covariance, 100 * entry.negative_share) +
           Json(entry.text).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace

std::string entropy_text(const EntropyFindings& run) {
  return concat(run.name, ": steps ", run.first_step, " to ", run.last_step, "\n") + law_text(run) +
         early_text(run) + changes_text(run) + rescored_text(run) + shares_text(run) +
         selected_text(run);
}

}  // namespace covrl
