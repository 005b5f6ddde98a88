// Plain values to bytes and back, for messages between the processes of one run (same machine type
// and program version).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace covrl {

class ByteWriter {
 public:
  template <class T>
  void value(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    append(&value, sizeof value);
  }
  template <class T>
  void vector(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    value<uint64_t>(values.size());
    append(values.data(), values.size() * sizeof(T));
  }
  void string(const std::string& text) {
    value<uint64_t>(text.size());
    append(text.data(), text.size());
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void append(const void* data, size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }
  std::vector<std::byte> bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <class T>
  T value() {
    T result;
    take(&result, sizeof result);
    return result;
  }
  template <class T>
  std::vector<T> vector() {
    std::vector<T> result(checked_count(sizeof(T)));
    take(result.data(), result.size() * sizeof(T));
    return result;
  }
  std::string string() {
    std::string result(checked_count(1), '\0');
    take(result.data(), result.size());
    return result;
  }
  bool done() const { return bytes_.empty(); }

 private:
  size_t checked_count(size_t element_size) {
    const auto count = value<uint64_t>();
    COVRL_CHECK(count <= bytes_.size() / element_size, "message ends early");
    return static_cast<size_t>(count);
  }
  void take(void* target, size_t size) {
    COVRL_CHECK(size <= bytes_.size(), "message ends early");
    if (size > 0) std::memcpy(target, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
  }
  std::span<const std::byte> bytes_;
};

}  // namespace covrl
