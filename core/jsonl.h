// JSON and JSON-lines files with errors that name file, line and column.
//
// Objects keep the order of their keys and find a key by walking them: iterate over large ones (a
// vocabulary) instead of looking keys up.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace covrl {

using Json = nlohmann::ordered_json;

// Whole file. Duplicate keys, trailing text and syntax errors throw Error(kUsage) naming file, line
// and column.
Json read_json(const std::string& path);

// The same for a text that is already in memory: errors say `where:line:col:`, lines counted from
// `first_line`.
Json parse_json(const std::string& text, const std::string& where, int64_t first_line = 1);

// Calls `row(line number from 1, object)` for each non-empty line; `-` reads stdin. Errors thrown
// by `row` are re-thrown with `path:line:` in front when they do not name a place yet.
void read_jsonl(const std::string& path, const std::function<void(int64_t, const Json&)>& row);

// Typed access with an error that names file, key, type wanted and value seen.
std::string get_string(const Json& object, const char* key, const std::string& where);
int64_t get_int(const Json& object, const char* key, const std::string& where);
double get_double(const Json& object, const char* key, const std::string& where);
bool get_bool(const Json& object, const char* key, const std::string& where);

// Writes `path` as a whole: a temporary file beside it, synced, then renamed. Throws
// Error(kRuntime) naming the path.
void write_file_atomically(const std::string& path, const std::string& content);
std::string read_file(const std::string& path);  // Error(kUsage) when it cannot be read

}  // namespace covrl
