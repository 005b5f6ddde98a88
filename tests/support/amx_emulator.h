// Runs AMX instructions on processors without them: while one of these lives, a handler of SIGILL
// executes ldtilecfg, tilerelease, tilezero, tileloadd, tilestored and tdpbf16ps as the Intel SDM
// describes them, on a tile file that each thread has of its own, and goes on behind them. What
// faults by the manual, and any other illegal instruction, ends the program with a line that says
// why. Needs AVX2 and FMA, for the arithmetic.
#pragma once

#if defined(__x86_64__) && defined(__linux__)

#include <csignal>
#include <cstdint>

namespace covrl::testing {

class AmxEmulator {
 public:
  AmxEmulator();
  ~AmxEmulator();
  AmxEmulator(const AmxEmulator&) = delete;
  AmxEmulator& operator=(const AmxEmulator&) = delete;

  static int64_t num_executed();   // instructions, of all threads
  static bool tiles_configured();  // of the calling thread, between ldtilecfg and tilerelease

 private:
  struct sigaction previous_;
};

}  // namespace covrl::testing

#endif
