#include "rl/evaluation/eval_metrics.h"

#include <cmath>

#include "core/error.h"

namespace covrl {

namespace {

std::string core_name(const std::string& set, const std::string& measure) {
  return concat("val-core/", set, "/acc/", measure);
}

std::string aux_name(const std::string& set, const std::string& measure) {
  return concat("val-aux/", set, "/", measure);
}

}  // namespace

std::string accuracy_metric(const std::string& set, const EvalRules& rules) {
  return core_name(set, rules.samples > 0 ? concat("mean@", rules.samples) : "greedy");
}

void add_eval_metrics(const EvalResult& result, Metrics& metrics) {
  const auto add = [&](const std::string& name, double value) {
    if (std::isfinite(value)) metrics.set(name, value);
  };
  const std::string& set = result.name;
  if (result.greedy) add(core_name(set, "greedy"), result.greedy->accuracy);
  if (result.sampled) {
    const int64_t n = result.sampled->num_samples;
    add(core_name(set, concat("mean@", n)), result.sampled->accuracy);
    for (const auto& [k, pass] : result.sampled->pass)
      add(core_name(set, concat("pass@", k)), pass);
    add(core_name(set, concat("maj@", n)), result.sampled->majority);
  }
  const ResponseStatistics& main = result.main();
  add(aux_name(set, "length"), main.length);
  add(aux_name(set, "parsed"), main.parsed);
  add(aux_name(set, "boxed"), main.boxed);
  add(aux_name(set, "truncated"), main.truncated);
  add(aux_name(set, "reflection"), main.reflection);
  add(aux_name(set, "degenerate"), main.degenerate);
  add(aux_name(set, "entropy"), main.entropy);
  add(aux_name(set, "failed"), static_cast<double>(result.num_failed()));
}

std::vector<EvalResult> read_eval_results(const std::string& metrics_path, int64_t step,
                                          const std::vector<EvalResult>& like) {
  std::vector<EvalResult> results;
  for (const auto& [line_step, metrics] : read_metrics(metrics_path)) {
    if (line_step != step) continue;
    const auto value = [&metrics = metrics](const std::string& name) {
      const double* found = metrics.find(name);
      return found ? *found : ResponseStatistics::kNone;
    };
    for (const EvalResult& known : like) {
      EvalResult result;
      result.name = known.name;
      result.step = step;
      if (known.greedy) {
        result.greedy.emplace();
        result.greedy->accuracy = value(core_name(known.name, "greedy"));
      }
      if (known.sampled) {
        const int64_t n = known.sampled->num_samples;
        result.sampled.emplace();
        result.sampled->accuracy = value(core_name(known.name, concat("mean@", n)));
        result.sampled->pass = {{n, value(core_name(known.name, concat("pass@", n)))}};
      }
      (result.sampled ? *result.sampled : *result.greedy).parsed =
          value(aux_name(known.name, "parsed"));
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace covrl
