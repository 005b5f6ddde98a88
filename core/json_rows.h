// The rows of a stream, shared by the readers of files and of logs. Private (core).
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>

#include "core/jsonl.h"

namespace covrl {

enum class LastLine { kWhole, kMayBeCutOff };

// As read_jsonl does, of a stream; `name`: what errors call it. A last line without a newline that
// is not JSON is left out where it may be cut off.
void read_json_rows(const std::string& name, std::istream& input, LastLine last_line,
                    const std::function<void(int64_t, const Json&)>& row);

}  // namespace covrl
