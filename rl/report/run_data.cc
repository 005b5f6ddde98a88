#include "rl/report/run_data.h"

#include <cmath>
#include <filesystem>

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

Curve read_curve(const std::string& dir) {
  const std::string path = dir + "/metrics.jsonl";
  if (!fs::exists(path))
    throw_usage(dir,
                ": no metrics.jsonl in it, so it is not a run folder (or the run has not begun)");
  Curve curve = read_metrics(path);
  if (curve.empty()) throw_usage(path, ": holds no finished step yet");
  return curve;
}

const Metrics* find_step(const Curve& curve, int64_t step) {
  for (const auto& [at, metrics] : curve)
    if (at == step) return &metrics;
  return nullptr;
}

// The values of a metric at a step in all curves; empty unless all have it.
std::vector<double> values_at(const std::vector<Curve>& curves, int64_t step,
                              const std::string& name) {
  std::vector<double> values;
  for (const Curve& curve : curves) {
    const Metrics* metrics = find_step(curve, step);
    const double* value = metrics == nullptr ? nullptr : metrics->find(name);
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
  for (const auto& [step, first] : curves.front()) {
    Metrics mean, spread;
    for (const auto& [name, value] : first.entries())
      if (const std::vector<double> values = values_at(curves, step, name); !values.empty())
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
  run.eval_samples = read_samples(dir + "/eval_samples.jsonl");
  run.alarms = read_samples(dir + "/alarms.jsonl");
  const std::string config = dir + "/config.resolved.yaml";
  if (fs::exists(config)) run.config = read_file(config);
  return run;
}

}  // namespace covrl
