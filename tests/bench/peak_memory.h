// The most memory that a measured loop held beyond what was resident when it began.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace covrl::bench {

// A field of /proc/self/status in MiB; 0 where there is no such file.
inline double resident_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::atof(line.c_str() + field.size() + 1) / 1024;
  }
  return 0;
}

class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << "5";  // resets VmHWM
    start_ = resident_mib("VmRSS");
  }

  void report(benchmark::State& state) const {
    state.counters["extra_MiB"] = resident_mib("VmHWM") - start_;
  }

 private:
  double start_ = 0;
};

}  // namespace covrl::bench
