// Built-in chat templates, equal in output to those of the published checkpoints.
#pragma once

#include <string>
#include <string_view>

namespace covrl {

// The template text of a family; empty when there is no such family.
std::string family_template(std::string_view name);
std::string family_names();  // for messages

}  // namespace covrl
