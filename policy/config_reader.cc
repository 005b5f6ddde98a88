#include "policy/config_reader.h"

#include <cmath>

#include "core/error.h"

namespace covrl {

const Json* find_key(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string shown(const Json& value) {
  constexpr size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

int64_t positive_int(const Json& object, const char* key, const std::string& where,
                     int64_t largest) {
  const int64_t value = get_int(object, key, where);
  if (value < 1 || value > largest)
    throw_usage(where, ": \"", key, "\" is ", value, ", allowed are 1 to ", largest);
  return value;
}

int64_t optional_positive_int(const Json& object, const char* key, const std::string& where,
                              int64_t largest, int64_t otherwise) {
  return find_key(object, key) == nullptr ? otherwise : positive_int(object, key, where, largest);
}

bool optional_bool(const Json& object, const char* key, const std::string& where, bool otherwise) {
  return find_key(object, key) == nullptr ? otherwise : get_bool(object, key, where);
}

double positive_double(const Json& object, const char* key, const std::string& where) {
  const double value = get_double(object, key, where);
  if (!(value > 0) || !std::isfinite(value))
    throw_usage(where, ": \"", key, "\" is ", value, ", allowed are finite numbers above 0");
  return value;
}

}  // namespace covrl
