#include "rl/report/run_data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

#include "core/error.h"
#include "core/step_log.h"

namespace covrl {
namespace fs = std::filesystem;

namespace {

using Curve = std::vector<std::pair<int64_t, Metrics>>;

std::string name_of(const std::string& dir) {
  const fs::path path = fs::path(dir).lexically_normal();
  return path.filename().empty() ? path.parent_path().filename().string()
                                 : path.filename().string();
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<Json> read_samples(const std::string& path) {
  std::vector<Json> rows;
  if (fs::exists(path)) read_log(path, [&](int64_t, const Json& row) { rows.push_back(row); });
  return rows;
}

// Of the first and of the last step that the file holds: a run keeps every response of every
// evaluation, which may be more than fits into memory.
std::vector<Json> read_first_and_last_step(const std::string& path) {
  std::vector<Json> first, last;
  if (!fs::exists(path)) return first;
  const auto step_of = [](const Json& row) { return row.value("step", int64_t{0}); };
  read_log(path, [&](int64_t, const Json& row) {
    if (first.empty() || step_of(row) == step_of(first[0])) {
      first.push_back(row);
      return;
    }
    if (!last.empty() && step_of(row) != step_of(last[0])) last.clear();
    last.push_back(row);
  });
  std::move(last.begin(), last.end(), std::back_inserter(first));
  return first;
}

Curve read_curve(const std::string& dir) {
  const std::string path = dir + "/metrics.jsonl";
  if (!fs::exists(path))
    throw_usage(dir,
                ": no metrics.jsonl in it, so it is not a run folder (or the run has not begun)");
  Curve curve = read_metrics(path);
  if (curve.empty()) throw_usage(path, ": holds no finished step yet");
  return curve;
}

using Steps = std::map<int64_t, const Metrics*>;

std::vector<Steps> steps_of(const std::vector<Curve>& curves) {
  std::vector<Steps> all;
  for (const Curve& curve : curves) {
    Steps& steps = all.emplace_back();
    for (const auto& [step, metrics] : curve) steps.emplace(step, &metrics);
  }
  return all;
}

// The values of a metric at a step of all curves; empty unless all have it.
std::vector<double> values_at(const std::vector<Steps>& curves, int64_t step,
                              const std::string& name) {
  std::vector<double> values;
  for (const Steps& steps : curves) {
    const auto at = steps.find(step);
    const double* value = at == steps.end() ? nullptr : at->second->find(name);
    if (value == nullptr) return {};
    values.push_back(*value);
  }
  return values;
}

void add_statistics(const std::vector<double>& values, const std::string& name, Metrics& mean,
                    Metrics& spread) {
  const double count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double value : values) sum += value;
  for (double value : values) squares += (value - sum / count) * (value - sum / count);
  mean.set(name, sum / count);
  spread.set(name, values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0);
}

void average(const std::vector<Curve>& curves, RunData& run) {
  const std::vector<Steps> steps = steps_of(curves);
  for (const auto& [step, first] : curves.front()) {
    Metrics mean, spread;
    for (const auto& [name, value] : first.entries())
      if (const std::vector<double> values = values_at(steps, step, name); !values.empty())
        add_statistics(values, name, mean, spread);
    if (mean.empty()) continue;
    run.metrics.emplace_back(step, std::move(mean));
    run.spread.emplace_back(step, std::move(spread));
  }
}

}  // namespace

RunData read_run(const std::string& argument) {
  RunData run;
  const size_t equals = argument.find('=');
  if (equals == std::string::npos || fs::exists(argument)) {
    run.dirs = {argument};
    run.name = name_of(argument);
  } else {
    run.name = argument.substr(0, equals);
    run.dirs = split_list(argument.substr(equals + 1));
    if (run.name.empty() || run.dirs.empty())
      throw_usage("--run: '", argument, "' must be a run folder, or NAME=FOLDER[,FOLDER...]");
  }
  std::vector<Curve> curves;
  for (const std::string& dir : run.dirs) curves.push_back(read_curve(dir));
  average(curves, run);
  if (run.metrics.empty()) throw_usage("--run: the runs of '", argument, "' share no step");
  const std::string& dir = run.dirs.front();
  run.samples = read_samples(dir + "/samples.jsonl");
  run.eval_samples = read_first_and_last_step(dir + "/eval_samples.jsonl");
  run.alarms = read_samples(dir + "/alarms.jsonl");
  const std::string config = dir + "/config.resolved.yaml";
  if (fs::exists(config)) run.config = read_file(config);
  return run;
}

}  // namespace covrl
