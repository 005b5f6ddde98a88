// The rows of a file that is read in parts or as a whole. Private (core).
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>

#include "core/jsonl.h"

namespace covrl {

// As read_jsonl does, of a stream; `name`: what errors call it.
void read_json_rows(const std::string& name, std::istream& input,
                    const std::function<void(int64_t, const Json&)>& row);

}  // namespace covrl
