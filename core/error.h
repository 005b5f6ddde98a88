// Errors that users and callers see.
//
// A mistake in the input (config, file, command line) throws Error of kind kUsage: exit status 2,
// one message that names the place, the value seen, the values allowed and the remedy. A failure of
// the machine (disk full, peer gone, non-finite loss) throws kRuntime: exit status 1. A broken
// invariant of ours is a COVRL_CHECK: it names the expression and the line.
#pragma once

#include <exception>
#include <sstream>
#include <string>

namespace covrl {

// Concatenates its arguments as operator<< prints them.
template <class... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  ((out << args), ...);
  return out.str();
}

enum class ErrorKind { kUsage, kRuntime };

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const { return kind_; }
  int exit_status() const { return kind_ == ErrorKind::kUsage ? 2 : 1; }

 private:
  ErrorKind kind_;
  std::string message_;
};

template <class... Args>
[[noreturn]] void throw_usage(const Args&... args) {
  throw Error(ErrorKind::kUsage, concat(args...));
}

template <class... Args>
[[noreturn]] void throw_runtime(const Args&... args) {
  throw Error(ErrorKind::kRuntime, concat(args...));
}

[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               const std::string& message);

}  // namespace covrl

// Broken invariant: throws kRuntime with expression, file and line. `...` is a list for concat().
#define COVRL_CHECK(condition, ...)                                                        \
  do {                                                                                     \
    if (!(condition))                                                                      \
      ::covrl::check_failed(#condition, __FILE__, __LINE__, ::covrl::concat(__VA_ARGS__)); \
  } while (false)
