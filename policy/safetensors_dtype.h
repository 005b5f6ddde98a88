// Names of element types in the safetensors format.
#pragma once

#include <c10/core/ScalarType.h>

#include <string>

namespace covrl {

// Error(kUsage) with the known names for one that is not among them; `where` names file and tensor.
at::ScalarType safetensors_scalar_type(const std::string& name, const std::string& where);
const char* safetensors_dtype_name(at::ScalarType type);

}  // namespace covrl
