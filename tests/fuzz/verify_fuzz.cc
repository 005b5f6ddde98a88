// libFuzzer over extraction, parsing and comparison (docs/verifier.md says how to run it).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/verify_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace covrl::testing;
  const std::string broken =
      broken_promise({reinterpret_cast<const char*>(data), size}, Checks::kSampled);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}

// Small: what is freed stays in the cache, and a comparison frees a thousand pieces at a time.
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2:quarantine_size_mb=1:thread_local_quarantine_size_kb=256:"
         "max_malloc_fill_size=0";
}
