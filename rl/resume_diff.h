// Resuming with a changed configuration: keys that alter the maths need consent.
#pragma once

#include <string>
#include <vector>

namespace covrl {

struct ConfigChange {
  std::string key, before, after;  // "(absent)" where a side does not have it
};

// Keys whose values differ in two resolved configs (config::dump). A key that the old one lacks
// counts only where the new value is not its default.
std::vector<ConfigChange> config_changes(const std::string& old_yaml, const std::string& new_yaml);

// Compares two resolved configs. Changed keys are printed; one that
// alters the maths throws Error(kUsage) listing key, old and new value, unless `allowed`.
void check_resume_config(const std::string& old_yaml, const std::string& new_yaml,
                         const std::string& checkpoint, bool allowed);

}  // namespace covrl
