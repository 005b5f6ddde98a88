#include "core/config_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"

namespace covrl::config {
namespace {

// Ranges are doubles even for integers: 1e9 is shown as people write it.
std::string format_bound(double value) {
  constexpr double kLongestInteger = 1e15;
  if (value == std::floor(value) && std::abs(value) < kLongestInteger)
    return concat(static_cast<int64_t>(value));
  return format_double(value);
}

std::string with_range(const std::string& kind, const Range& range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high)
    return kind + " in [" + format_bound(range.low) + ", " + format_bound(range.high) + "]";
  if (low) return kind + " >= " + format_bound(range.low);
  if (high) return kind + " <= " + format_bound(range.high);
  return kind;
}

// Words that some YAML reader takes for a boolean or nothing.
bool is_reserved(const std::string& text) {
  static const std::vector<std::string> words = {"null", "true", "false", "yes", "no",
                                                 "on",   "off",  "y",     "n"};
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::ranges::find(words, lower) != words.end();
}

bool reads_back_unquoted(const std::string& text) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/';
  };
  const auto is_inner = [&](char c) { return is_word(c) || c == '.' || c == '-' || c == '+'; };
  const size_t first = text.starts_with("../") ? 2 : text.starts_with("./") ? 1 : 0;
  return !text.empty() && is_word(text[first]) && std::ranges::all_of(text, is_inner) &&
         std::isdigit(static_cast<unsigned char>(text[0])) == 0 && !is_reserved(text);
}

}  // namespace

std::optional<int64_t> parse_int(const std::string& text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> parse_double(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> parse_fraction(const std::string& text) {
  if (!text.ends_with('%')) return parse_double(text);
  const std::string percent = text.substr(0, text.size() - 1);
  if (percent.find_first_of("eE") != std::string::npos) return std::nullopt;
  return parse_double(percent + "e-2");  // rounded once, unlike a division by 100
}

std::string format_double(double value) {
  COVRL_CHECK(std::isfinite(value), value, " has no text in a configuration");
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, value);
  return {text, result.ptr};
}

std::string format_text(const std::string& value) {
  return reads_back_unquoted(value) ? value : nlohmann::json(value).dump();
}

std::string format_list(const std::vector<std::string>& values) {
  std::vector<std::string> words;
  for (const std::string& value : values) words.push_back(format_text(value));
  return concat("[", joined(words), "]");
}

std::string format_numbers(const std::vector<double>& values) {
  std::vector<std::string> words;
  for (const double value : values) words.push_back(format_double(value));
  return concat("[", joined(words), "]");
}

bool is_inside(double value, const Range& range) {
  return value >= range.low && value <= range.high;
}

std::string allowed_bool() { return "true or false"; }
std::string allowed_int(const Range& range) { return with_range("a whole number", range); }
std::string allowed_double(const Range& range) { return with_range("a number", range); }
std::string allowed_fraction(const Range& range) {
  return with_range("a number or a percentage like 0.02%", range);
}
std::string allowed_text() { return "text"; }
std::string allowed_list() { return "a list like [a, b]"; }
std::string allowed_numbers(const Range& range) {
  return "a list like [1, 0.5], each " + allowed_double(range);
}
std::string allowed_words(const std::vector<std::string>& words) {
  return "one of " + joined(words);
}
std::string or_null(const std::string& allowed) { return allowed + ", or null"; }

}  // namespace covrl::config
