// Typed access to the optional keys of a checkpoint's JSON files; a key that is null counts as
// absent. Errors name file, key, the value seen and the values allowed.
#pragma once

#include <cstdint>
#include <string>

#include "core/jsonl.h"

namespace covrl {

// Bounds that no published model comes near; within them sizes cannot overflow 64 bits.
inline constexpr int64_t kMaxVocabulary = int64_t{1} << 24;
inline constexpr int64_t kMaxWidth = int64_t{1} << 22;
inline constexpr int64_t kMaxLayers = int64_t{1} << 12;
inline constexpr int64_t kMaxHeads = int64_t{1} << 12;
inline constexpr int64_t kMaxPositions = int64_t{1} << 31;

// The member, or null when it is absent or null.
const Json* find_key(const Json& object, const char* key);
std::string shown(const Json& value);  // shortened, for messages

int64_t positive_int(const Json& object, const char* key, const std::string& where,
                     int64_t largest);
int64_t optional_positive_int(const Json& object, const char* key, const std::string& where,
                              int64_t largest, int64_t otherwise);
bool optional_bool(const Json& object, const char* key, const std::string& where, bool otherwise);
double positive_double(const Json& object, const char* key, const std::string& where);

}  // namespace covrl
