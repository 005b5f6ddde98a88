#include "policy/safetensors_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace covrl {

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw_usage(path, ": cannot be read: ", std::strerror(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular) {
    ::close(descriptor_);
    throw_usage(path, ": is not a regular file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

SafetensorsFile::~SafetensorsFile() { ::close(descriptor_); }

void SafetensorsFile::read(uint64_t offset, void* target, uint64_t count) const {
  constexpr uint64_t kLargestRead = uint64_t{1} << 30;
  auto* bytes = static_cast<char*>(target);
  while (count > 0) {
    const ssize_t got =
        ::pread(descriptor_, bytes, std::min(count, kLargestRead), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_runtime(path_, ": cannot be read: ", std::strerror(errno));
    if (got == 0) throw_runtime(path_, ": ends at byte ", offset, " while it is being read");
    bytes += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<uint64_t>(got);
  }
}

}  // namespace covrl
