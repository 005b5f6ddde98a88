// Tokens per second of a command, and progress lines at a bearable rate.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/log.h"

namespace covrl {

class TokenMeter {
 public:
  void add(int64_t num_tokens) { num_tokens_ += num_tokens; }

  // "N tokens, R tokens/s".
  std::string summary() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return concat(num_tokens_, " tokens, ",
                  static_cast<int64_t>(static_cast<double>(num_tokens_) / seconds), " tokens/s");
  }

  // `what` and the rate; at most a line in so many seconds (less often where lines stay, as in a
  // log file).
  void show(const std::string& what) {
    const Clock::duration pause =
        log::stderr_is_terminal() ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
    const Clock::time_point now = Clock::now();
    if (now - shown_ < pause) return;
    shown_ = now;
    log::progress(what + ", " + summary());
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), shown_ = start_;
  int64_t num_tokens_ = 0;
};

}  // namespace covrl
