#include "rl/judge_text.h"

#include <algorithm>

#include "core/error.h"
#include "core/joined.h"
#include "core/jsonl.h"
#include "rl/resume_diff.h"

namespace covrl {

namespace {

std::string dump(VerifierOptions options) {
  return config::dump([&](config::Visitor& v) { options.describe(v); }, config::Comments::kNone);
}

// Whether a key below the section `verifier` changes what one of them says.
bool matters(const std::string& key, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    if (name != "math_boxed") return key.starts_with(name + ".");
    return key.starts_with("math.") && key != "math.phrases" && key != "math.loose";
  });
}

std::string weights_text(const std::vector<double>& weights) {
  if (std::ranges::all_of(weights, [](double weight) { return weight == 1; })) return "";
  return concat(" reward.weights=", Json(weights).dump());
}

}  // namespace

std::string judge_text(const std::vector<std::string>& names, const std::vector<double>& weights,
                       const VerifierOptions& options) {
  std::string text = joined(names, "+") + weights_text(weights);
  for (const auto& [key, before, after] : config_changes(dump({}), dump(options)))
    if (matters(key, names)) text += concat(" verifier.", key, "=", after);
  return text;
}

bool is_external(const std::string& judge) {
  const std::string names = judge.substr(0, judge.find(' '));
  return names.find("external_") != std::string::npos;
}

}  // namespace covrl
