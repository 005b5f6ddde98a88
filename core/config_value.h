// Values of the configuration as text, both ways: what dump() writes, load() reads as the same
// value. Private (config_*.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/joined.h"

namespace covrl::config {

// Strict: the whole text, decimal, no signs or separators that JSON does not have. Empty when it is
// not a number.
std::optional<int64_t> parse_int(const std::string& text);
std::optional<double> parse_double(const std::string& text);
std::optional<double> parse_fraction(const std::string& text);  // 0.0002 or 0.02%

std::string format_double(double value);  // shortest text that reads back as the same bits
std::string format_text(const std::string& value);  // quoted where YAML would read something else
std::string format_list(const std::vector<std::string>& values);
std::string format_numbers(const std::vector<double>& values);

bool is_inside(double value, const Range& range);

// What a field takes: "a whole number >= 0", "a number in [0, 1]", "one of a, b".
std::string allowed_bool();
std::string allowed_int(const Range& range);
std::string allowed_double(const Range& range);
std::string allowed_fraction(const Range& range);
std::string allowed_text();
std::string allowed_list();
std::string allowed_numbers(const Range& range);
std::string allowed_words(const std::vector<std::string>& words);
std::string or_null(const std::string& allowed);

}  // namespace covrl::config
