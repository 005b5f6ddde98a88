#include "rl/resume_diff.h"

#include <map>
#include <sstream>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "rl/run_config.h"

namespace covrl {

namespace {

// Dotted key -> value text, of the block mappings that config::dump writes. List items are appended
// to their key's value.
std::map<std::string, std::string> flatten(const std::string& yaml) {
  std::map<std::string, std::string> flat;
  std::vector<std::pair<size_t, std::string>> path;  // (indent, key)
  std::istringstream in(yaml);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    const size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') continue;
    if (line[indent] == '-') {
      flat[last].append(" ").append(line, indent, std::string::npos);
      continue;
    }
    const size_t colon = line.find(':', indent);
    if (colon == std::string::npos) continue;
    while (!path.empty() && path.back().first >= indent) path.pop_back();
    path.emplace_back(indent, line.substr(indent, colon - indent));
    last.clear();
    for (const auto& [depth, key] : path) {
      if (!last.empty()) last.push_back('.');
      last.append(key);
    }
    const size_t begin = line.find_first_not_of(' ', colon + 1);
    flat[last] = begin == std::string::npos ? "" : line.substr(begin);
  }
  return flat;
}

}  // namespace

std::vector<ConfigChange> config_changes(const std::string& old_yaml, const std::string& new_yaml) {
  RunConfig untouched;
  const auto defaults = flatten(
      config::dump([&](config::Visitor& v) { untouched.describe(v); }, config::Comments::kNone));
  const auto old_flat = flatten(old_yaml), new_flat = flatten(new_yaml);
  std::vector<ConfigChange> changes;
  for (const auto& [key, value] : new_flat) {
    const auto found = old_flat.find(key);
    if (found == old_flat.end()) {
      // A key that the program did not have yet, and that nobody has set since.
      const auto unset = defaults.find(key);
      if (unset == defaults.end() || unset->second != value)
        changes.push_back({key, "(absent)", value});
    } else if (found->second != value) {
      changes.push_back({key, found->second, value});
    }
  }
  for (const auto& [key, value] : old_flat)
    if (!new_flat.count(key)) changes.push_back({key, value, "(absent)"});
  return changes;
}

void check_resume_config(const std::string& old_yaml, const std::string& new_yaml,
                         const std::string& checkpoint, bool allowed) {
  std::string harmless, harmful;
  for (const ConfigChange& change : config_changes(old_yaml, new_yaml))
    (may_change_on_resume(change.key) ? harmless : harmful) +=
        concat("\n  ", change.key, ": ", change.before, " -> ", change.after);
  if (!harmless.empty()) log::info("Changed since " + checkpoint + ":" + harmless);
  if (harmful.empty()) return;
  if (!allowed)
    throw_usage(
        "trainer.resume: these keys alter the maths and have changed since ", checkpoint, ":",
        harmful,
        "\nRestore them, or set trainer.allow_changed_config=true to go on with the new values, or "
        "trainer.resume=never to start anew");
  log::warning("resuming with changed keys that alter the maths:" + harmful);
}

}  // namespace covrl
