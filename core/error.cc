#include "core/error.h"

namespace covrl {

void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  std::string text = concat(file, ":", line, ": check failed: ", expression);
  if (!message.empty()) text += concat(" (", message, ")");
  throw Error(ErrorKind::kRuntime, text);
}

}  // namespace covrl
