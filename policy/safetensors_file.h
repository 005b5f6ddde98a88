// A file read at given places. A file that shrinks meanwhile is an error, not a crash (as it would
// be when mapped).
#pragma once

#include <cstdint>
#include <string>

namespace covrl {

class SafetensorsFile {
 public:
  explicit SafetensorsFile(
      const std::string& path);  // Error(kUsage) when it is no readable regular file
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  void read(uint64_t offset, void* target, uint64_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace covrl
