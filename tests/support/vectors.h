// Reference vectors: matrices [B][T] computed by published implementations, as JSON.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl::testing {

// `name`.json from COVRL_VECTORS_DIR, else the reference material; "" when absent.
inline std::string vectors_path(const std::string& name) {
  if (const char* dir = std::getenv("COVRL_VECTORS_DIR"))
    return std::string(dir) + "/" + name + ".json";
  return reference_path("vectors/" + name + ".json");
}

inline Json vector_cases(const std::string& path) { return read_json(path).at("cases"); }

// Numbers; "NaN", "Infinity" and "-Infinity" stand for themselves.
inline double vector_number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string text = value.get<std::string>();
  if (text == "NaN") return std::nan("");
  return text == "-Infinity" ? -std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::infinity();
}

inline void append_numbers(const Json& value, std::vector<double>& numbers) {
  if (!value.is_array()) return numbers.push_back(vector_number(value));
  for (const Json& item : value) append_numbers(item, numbers);
}

// A nested list, flattened in row-major order: sequences of one length, one after another.
inline at::Tensor vector_tensor(const Json& value, at::ScalarType dtype = at::kDouble) {
  std::vector<double> numbers;
  append_numbers(value, numbers);
  return at::tensor(numbers, at::kDouble).to(dtype);
}

inline at::Tensor vector_mask(const Json& value) { return vector_tensor(value, at::kBool); }

// cu_seqlens of a [B][T] matrix.
inline std::vector<int64_t> vector_offsets(const Json& matrix) {
  std::vector<int64_t> offsets = {0};
  for (const Json& row : matrix)
    offsets.push_back(offsets.back() + static_cast<int64_t>(row.size()));
  return offsets;
}

inline at::ScalarType vector_dtype(const Json& one_case) {
  return one_case.value("dtype", "float64") == "float32" ? at::kFloat : at::kDouble;
}

struct Tolerance {
  double relative = 1e-9;
  double absolute = 1e-12;
};
inline Tolerance vector_tolerance(const Json& one_case) {
  return vector_dtype(one_case) == at::kFloat ? Tolerance{2e-5, 1e-6} : Tolerance{};
}

inline void expect_close(double seen, double wanted, const Tolerance& tolerance,
                         const std::string& what) {
  EXPECT_LE(std::abs(seen - wanted), tolerance.absolute + tolerance.relative * std::abs(wanted))
      << what << ": " << seen << ", the reference has " << wanted;
}

// Elements where `mask` is false are not compared.
inline void expect_close(const at::Tensor& seen, const at::Tensor& wanted, const at::Tensor& mask,
                         const Tolerance& tolerance, const std::string& what) {
  const at::Tensor a = seen.detach().to(at::kDouble).flatten().contiguous();
  const at::Tensor b = wanted.to(at::kDouble).flatten().contiguous();
  ASSERT_EQ(a.numel(), b.numel()) << what;
  for (int64_t i = 0; i < a.numel(); ++i)
    if (mask.flatten()[i].item<bool>())
      expect_close(a.const_data_ptr<double>()[i], b.const_data_ptr<double>()[i], tolerance,
                   concat(what, " [", i, "]"));
}

}  // namespace covrl::testing

// Skips the test when the vectors are absent; `path` is then set.
#define COVRL_REQUIRE_VECTORS(path, name)                        \
  const std::string path = ::covrl::testing::vectors_path(name); \
  COVRL_REQUIRE_REFERENCE(path)
