// DType of a config as the tensor library's type.
#pragma once

#include <c10/core/ScalarType.h>

#include "policy/model_config.h"

namespace covrl {

inline at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::kBFloat16:
      return at::kBFloat16;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kFloat32:
      break;
  }
  return at::kFloat;
}

}  // namespace covrl
