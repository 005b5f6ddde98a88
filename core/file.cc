// Whole files: read, and written so that a reader never sees half of one.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/jsonl.h"

namespace covrl {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void fail_writing(const std::string& path, const char* operation) {
  throw_runtime(path, ": cannot be written: ", operation, ": ", std::strerror(errno));
}

void write_and_sync(const std::string& temporary, const std::string& path,
                    const std::string& content) {
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) fail_writing(path, "open");
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = ::write(file.get(), content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_writing(path, "write");
    written += static_cast<size_t>(count);
  }
  if (::fsync(file.get()) != 0) fail_writing(path, "fsync");
  if (file.close() != 0) fail_writing(path, "close");
}

// Without this a crash may forget the rename, though never tear the file. Some file systems refuse
// it on folders.
void sync_folder_of(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return;
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) fail_writing(path, "fsync of its folder");
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw_usage(path, ": cannot be read: ", std::strerror(errno));
  std::string content;
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && status.st_size > 0)
    content.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_usage(path, ": cannot be read: ", std::strerror(errno));
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
  }
}

void write_file_atomically(const std::string& path, const std::string& content) {
  const std::string temporary = concat(path, ".tmp.", ::getpid());
  try {
    write_and_sync(temporary, path, content);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_writing(path, "rename");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder_of(path);
}

}  // namespace covrl
