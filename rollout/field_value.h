// Which values of a row describe the problem, and are its fields (Prompt::fields, rollout/types.h).
#pragma once

#include <string>

#include "core/jsonl.h"

namespace covrl {

// Short text (to 100 bytes; longer text describes one problem, not many), a number, true or false.
bool is_field_value(const Json& value);
std::string field_text(const Json& value);  // of such a value

}  // namespace covrl
