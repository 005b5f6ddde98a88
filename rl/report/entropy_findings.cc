#include "rl/report/entropy_findings.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/jsonl.h"
#include "core/step_log.h"

namespace covrl {
namespace {
namespace fs = std::filesystem;

using Rows = std::vector<std::pair<int64_t, Metrics>>;

constexpr const char* kCore = "val-core/";
constexpr const char* kTopShare = "entropy_ctrl/cov_top_";

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

Rows read_rows(const std::string& run_dir) {
  const std::string path = run_dir + "/metrics.jsonl";
  if (!fs::exists(path))
    throw_usage(run_dir,
                ": no metrics.jsonl in it, so it is not a run folder (or the run has not "
                "begun); give the run_dir of a covrl train");
  Rows rows = read_metrics(path);
  if (rows.empty()) throw_usage(path, ": holds no finished step yet");
  return rows;
}

struct Accuracy {
  std::string metric, set, measure;
};

std::vector<Accuracy> accuracies_of(const Rows& rows) {
  std::vector<Accuracy> found;
  for (const auto& [step, row] : rows)
    for (const auto& [name, value] : row.entries()) {
      const size_t middle = name.find("/acc/");
      if (!starts_with(name, kCore) || middle == std::string::npos) continue;
      const size_t begin = std::string(kCore).size();
      if (std::none_of(found.begin(), found.end(),
                       [&name = name](const Accuracy& known) { return known.metric == name; }))
        found.push_back({name, name.substr(begin, middle - begin), name.substr(middle + 5)});
    }
  return found;
}

bool is_measure(const Accuracy& accuracy, const std::string& measure) {
  return measure == "mean@k" ? starts_with(accuracy.measure, "mean@") : accuracy.measure == measure;
}

std::string choose_accuracy(const std::string& run_dir, const Rows& rows,
                            const EntropyQuery& query) {
  const std::vector<Accuracy> all = accuracies_of(rows);
  const bool asked = !query.set.empty() || !query.measure.empty();
  if (all.empty() && !asked) return "";
  const std::string set = query.set.empty() && !all.empty() ? all.front().set : query.set;
  const std::vector<std::string> wanted = query.measure.empty()
                                              ? std::vector<std::string>{"mean@k", "greedy"}
                                              : std::vector<std::string>{query.measure};
  for (const std::string& measure : wanted)
    for (const Accuracy& accuracy : all)
      if (accuracy.set == set && is_measure(accuracy, measure)) return accuracy.metric;
  std::string known;
  for (const Accuracy& accuracy : all)
    known += (known.empty() ? "" : ", ") + accuracy.set + " " + accuracy.measure;
  throw_usage("--set ", set, " --measure ", wanted.front(), ": ", run_dir,
              known.empty() ? " was not evaluated (set eval.files and eval.every)"
                            : " was not evaluated so; it holds " + known);
}

std::vector<TopShares> top_shares_of(const Rows& rows) {
  std::vector<TopShares> result;
  for (const auto& [step, row] : rows) {
    TopShares shares{step, {}};
    for (const auto& [name, value] : row.entries()) {
      if (!starts_with(name, kTopShare) || !std::isfinite(value)) continue;
      const std::string share = name.substr(std::string(kTopShare).size());
      shares.means.emplace_back(share.substr(0, share.find("pct")) + " %", value);
    }
    if (const double* mean = row.find("entropy_ctrl/cov_mean"); mean && std::isfinite(*mean))
      shares.means.emplace_back("all", *mean);
    if (shares.means.size() > 1) result.push_back(std::move(shares));
  }
  return result;
}

void read_selected(const std::string& path, EntropyFindings& findings) {
  if (!fs::exists(path)) return;
  std::map<std::string, std::pair<SelectedText, double>> by_text;  // and its largest covariance
  read_log(path, [&](int64_t, const Json& row) {
    const std::string text = get_string(row, "text", "");
    auto& [entry, largest] = by_text[text];
    const double covariance = get_double(row, "covariance", "");
    if (entry.count == 0 || covariance > largest) {
      largest = covariance;
      entry.before = row.value("before", "");
      entry.after = row.value("after", "");
    }
    entry.text = text;
    ++entry.count;
    entry.mean_logprob += get_double(row, "logprob", "");
    entry.mean_covariance += covariance;
    entry.negative_share += get_double(row, "advantage", "") < 0 ? 1 : 0;
    ++findings.num_selected;
  });
  for (auto& [text, found] : by_text) {
    SelectedText& entry = found.first;
    const double count = static_cast<double>(entry.count);
    entry.mean_logprob /= count;
    entry.mean_covariance /= count;
    entry.negative_share /= count;
    findings.selected.push_back(entry);
  }
  std::stable_sort(findings.selected.begin(), findings.selected.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
}

}  // namespace

EntropyFindings find_entropy(const std::string& run_dir, const EntropyQuery& query) {
  const Rows rows = read_rows(run_dir);
  EntropyFindings findings;
  const fs::path folder = fs::absolute(run_dir).lexically_normal();
  findings.name = (folder.filename().empty() ? folder.parent_path() : folder).filename().string();
  findings.first_step = rows.front().first;
  findings.last_step = rows.back().first;
  for (const auto& [step, row] : rows) {
    if (const double* entropy = row.find("rollout/entropy"); entropy && std::isfinite(*entropy))
      findings.entropy.emplace_back(step, *entropy);
    const double *measured = row.find("entropy_ctrl/delta_same_states"),
                 *first_order = row.find("entropy_ctrl/delta_first_order");
    if (measured && first_order && std::isfinite(*measured) && std::isfinite(*first_order))
      findings.rescored.push_back({step, *measured, *first_order});
  }
  if (findings.entropy.empty())
    throw_usage(run_dir,
                "/metrics.jsonl: holds no rollout/entropy, so there is nothing to explain; "
                "give the run_dir of a covrl train that has made a step");
  findings.accuracy = choose_accuracy(run_dir, rows, query);
  EntropyWatch watch(findings.accuracy);
  watch.replay(rows);
  findings.points = watch.points();
  findings.changes = watch.changes();
  findings.fit = fit_law(findings.points);
  findings.early = predict_from_first(findings.points,
                                      num_first_points(findings.points.size(), query.first_share));
  findings.top_shares = top_shares_of(rows);
  read_selected(run_dir + "/selected_tokens.jsonl", findings);
  return findings;
}

}  // namespace covrl
