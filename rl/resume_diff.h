// Resuming with a changed configuration: keys that alter the maths need consent.
#pragma once

#include <string>

namespace covrl {

// Compares two resolved configs (config::dump without comments). Changed keys are printed; one that
// alters the maths throws Error(kUsage) listing key, old and new value, unless `allowed`.
void check_resume_config(const std::string& old_yaml, const std::string& new_yaml,
                         const std::string& checkpoint, bool allowed);

}  // namespace covrl
