// A bfloat16 number as it is stored: a type of its own, for files without tensor headers.
#pragma once

#include <cstdint>

namespace covrl::kernels {

enum class Bfloat16 : uint16_t {};  // the high half of the float32 of the same value

}  // namespace covrl::kernels
