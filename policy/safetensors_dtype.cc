#include "policy/safetensors_dtype.h"

#include <array>
#include <utility>

#include "core/error.h"

namespace covrl {
namespace {

constexpr std::array<std::pair<const char*, at::ScalarType>, 16> kNames = {{
    {"F64", at::kDouble},
    {"F32", at::kFloat},
    {"F16", at::kHalf},
    {"BF16", at::kBFloat16},
    {"I64", at::kLong},
    {"I32", at::kInt},
    {"I16", at::kShort},
    {"I8", at::kChar},
    {"U64", at::kUInt64},
    {"U32", at::kUInt32},
    {"U16", at::kUInt16},
    {"U8", at::kByte},
    {"BOOL", at::kBool},
    {"F8_E4M3", at::kFloat8_e4m3fn},
    {"F8_E5M2", at::kFloat8_e5m2},
    {"C64", at::kComplexFloat},
}};

}  // namespace

at::ScalarType safetensors_scalar_type(const std::string& name, const std::string& where) {
  std::string known;
  for (const auto& [candidate, type] : kNames) {
    if (name == candidate) return type;
    known += concat(known.empty() ? "" : ", ", candidate);
  }
  throw_usage(where, ": dtype \"", name, "\" is unknown, allowed are ", known);
}

const char* safetensors_dtype_name(at::ScalarType type) {
  for (const auto& [name, candidate] : kNames)
    if (candidate == type) return name;
  throw_runtime("tensors of type ", c10::toString(type), " have no name in the safetensors format");
}

}  // namespace covrl
