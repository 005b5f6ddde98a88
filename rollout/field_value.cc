#include "rollout/field_value.h"

namespace covrl {

namespace {

constexpr size_t kLongestField = 100;  // bytes

}  // namespace

bool is_field_value(const Json& value) {
  if (!value.is_string() && !value.is_number() && !value.is_boolean()) return false;
  const std::string text = field_text(value);
  return !text.empty() && text.size() <= kLongestField;
}

std::string field_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace covrl
