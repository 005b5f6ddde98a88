#include "core/config_printer.h"

#include "core/config_value.h"

namespace covrl::config {

void Printer::field(const char* key, bool& value, const char* help) {
  print(key, value ? "true" : "false", help, allowed_bool());
}
void Printer::field(const char* key, int64_t& value, const char* help, Range range) {
  print(key, std::to_string(value), help, allowed_int(range));
}
void Printer::field(const char* key, double& value, const char* help, Range range) {
  print(key, format_double(value), help, allowed_double(range));
}
void Printer::field(const char* key, std::string& value, const char* help) {
  print(key, format_text(value), help, allowed_text());
}
void Printer::field(const char* key, std::vector<std::string>& value, const char* help) {
  print(key, format_list(value), help, allowed_list());
}
void Printer::field(const char* key, std::vector<double>& value, const char* help, Range range) {
  print(key, format_numbers(value), help, allowed_numbers(range));
}
void Printer::field(const char* key, std::optional<int64_t>& value, const char* help, Range range) {
  print(key, value ? std::to_string(*value) : "null", help, or_null(allowed_int(range)));
}
void Printer::field(const char* key, std::optional<double>& value, const char* help, Range range) {
  print(key, value ? format_double(*value) : "null", help, or_null(allowed_double(range)));
}
void Printer::fraction(const char* key, double& value, const char* help, Range range) {
  print(key, format_double(value), help, allowed_fraction(range));
}
void Printer::word(const char* key, std::string& value, const char* help,
                   const std::vector<std::string>& words) {
  print(key, format_text(value), help, allowed_words(words));
}
void Printer::words(const char* key, std::vector<std::string>& value, const char* help,
                    const std::vector<std::string>& words) {
  print(key, value.size() == 1 ? format_text(value.front()) : format_list(value), help,
        "one or several of " + joined(words));
}

}  // namespace covrl::config
