// Rows of a parquet file as JSON objects.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/jsonl.h"

namespace covrl {

// Calls `row(row number from 0, object)` for the first `limit` rows (all when negative). Strings,
// integers, floats, booleans, nulls, lists, structs and dictionaries of these; another column type,
// a file that is missing, truncated or no parquet throws Error(kUsage) naming file, column and
// type. Errors thrown by `row` pass.
void read_parquet(const std::string& path, int64_t limit,
                  const std::function<void(int64_t, const Json&)>& row);

}  // namespace covrl
