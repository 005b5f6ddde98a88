#include "core/jsonl.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>

#include "core/error.h"
#include "core/json_rows.h"

namespace covrl {
namespace {

std::string shortened(const Json& value) {
  constexpr size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

const Json& member(const Json& object, const char* key, const char* wanted,
                   const std::string& where) {
  if (!object.is_object())
    throw_usage(where, ": expected an object with key \"", key, "\", got ", shortened(object));
  const auto found = object.find(key);
  if (found == object.end()) throw_usage(where, ": missing key \"", key, "\" (", wanted, ")");
  return *found;
}

[[noreturn]] void wrong_type(const Json& value, const char* key, const char* wanted,
                             const std::string& where) {
  throw_usage(where, ": \"", key, "\" must be ", wanted, ", got ", shortened(value));
}

void read_row(const std::string& path, int64_t line_number, const std::string& line,
              const std::function<void(int64_t, const Json&)>& row) {
  const std::string place = concat(path, ":", line_number);
  const Json object = parse_json(line, path, line_number);
  if (!object.is_object())
    throw_usage(place, ": expected an object {...}, got ", shortened(object));
  try {
    row(line_number, object);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.starts_with(path + ":")) throw;
    throw Error(error.kind(), place + ": " + message);
  } catch (const Json::exception& error) {
    throw_usage(place, ": ", error.what());
  }
}

}  // namespace

Json read_json(const std::string& path) { return parse_json(read_file(path), path); }

void read_json_rows(const std::string& name, std::istream& input, LastLine last_line,
                    const std::function<void(int64_t, const Json&)>& row) {
  std::string line;
  int64_t line_number = 0;
  while (std::getline(input, line)) {
    ++line_number;
    if (last_line == LastLine::kMayBeCutOff && input.eof() && !Json::accept(line)) break;
    if (line.find_first_not_of(" \t\r") != std::string::npos)
      read_row(name, line_number, line, row);
  }
  if (input.bad()) throw_usage(name, ": cannot be read: ", std::strerror(errno));
}

void read_jsonl(const std::string& path, const std::function<void(int64_t, const Json&)>& row) {
  if (path == "-") return read_json_rows("stdin", std::cin, LastLine::kWhole, row);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_usage(path, ": cannot be read: ", std::strerror(errno));
  read_json_rows(path, file, LastLine::kWhole, row);
}

std::string get_string(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, "a string", where);
  if (!value.is_string()) wrong_type(value, key, "a string", where);
  return value.get<std::string>();
}

int64_t get_int(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, "an integer", where);
  constexpr uint64_t kLargest = std::numeric_limits<int64_t>::max();
  const bool fits = !value.is_number_unsigned() || value.get<uint64_t>() <= kLargest;
  if (!value.is_number_integer() || !fits) wrong_type(value, key, "an integer of 64 bits", where);
  return value.get<int64_t>();
}

double get_double(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, "a number", where);
  if (!value.is_number()) wrong_type(value, key, "a number", where);
  return value.get<double>();
}

bool get_bool(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, "true or false", where);
  if (!value.is_boolean()) wrong_type(value, key, "true or false", where);
  return value.get<bool>();
}

}  // namespace covrl
