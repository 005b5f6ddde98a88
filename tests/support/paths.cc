#include "tests/support/paths.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace covrl::testing {
namespace fs = std::filesystem;

namespace {
struct TemporaryDirs {
  std::vector<fs::path> paths;
  ~TemporaryDirs() {
    std::error_code ignored;
    for (const fs::path& path : paths) fs::remove_all(path, ignored);
  }
};
}  // namespace

std::string shared_dir() {
  if (const char* dir = std::getenv("COVRL_SHARED_DIR")) return dir;
  const fs::path beside = fs::path(COVRL_SOURCE_DIR) / ".." / "shared";
  return fs::is_directory(beside) ? beside.lexically_normal().string() : "";
}

std::string reference_path(const std::string& relative) {
  const std::string shared = shared_dir();
  if (!shared.empty() && fs::exists(fs::path(shared) / relative))
    return (fs::path(shared) / relative).string();
  const fs::path own = fs::path(COVRL_SOURCE_DIR) / "tests/data" / relative;
  return fs::exists(own) ? own.string() : "";
}

std::string source_path(const std::string& relative) {
  return (fs::path(COVRL_SOURCE_DIR) / relative).string();
}

std::string temporary_dir(const std::string& name) {
  static TemporaryDirs dirs;
  std::string pattern = (fs::temp_directory_path() / ("covrl-" + name + "-XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  dirs.paths.emplace_back(pattern);
  return pattern;
}

}  // namespace covrl::testing
