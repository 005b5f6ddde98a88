#include "core/interrupt.h"

#include <csignal>
#include <span>

namespace covrl {

namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int signal) {
  if (requested) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  requested = 1;
}

}  // namespace

void install_interrupt_handlers() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupt_requested() { return requested != 0; }

bool interrupt_requested(Communicator& ranks) {
  double any = interrupt_requested() ? 1 : 0;
  ranks.all_reduce_max(std::span(&any, 1));
  return any > 0;
}

}  // namespace covrl
