// Counter-based randomness: every draw is a pure function of what it is for, never of time, rank,
// thread or order.
//
// Philox4x32-10 (Salmon et al., SC 2011). The key is (run seed, stream); the counter is (step,
// prompt, sample, position). The same run therefore draws the same numbers with 1 or N workers, in
// any batch composition, and after a resume.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace covrl {

// What a draw is for. Numbers are part of the reproducibility contract: append, never renumber.
enum class Stream : uint32_t {
  kSampling = 1,    // token choice in rollouts
  kShuffle = 2,     // data order
  kEvaluation = 3,  // token choice in evaluation
  kInit = 4,        // weight initialisation
  kClipCov = 5,     // candidate choice of Clip-Cov
  kBootstrap = 6,   // confidence intervals
  kWorld = 7,       // synthetic data
  kTest = 8,
  kAudit = 9,           // verdicts that an audit re-checks
  kLabelNoise = 10,     // which labels are made wrong, and how
  kExampleChoice = 11,  // examples chosen at random
};

struct DrawId {
  uint64_t step = 0;      // rollout step, < 2^32
  uint64_t prompt = 0;    // index of the prompt group within the step, < 2^32
  uint32_t sample = 0;    // index within the group
  uint32_t position = 0;  // token position within the completion
};

// Raw generator, exposed for tests against published vectors.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The generator's key of a stream, for kernels that draw in bulk.
std::array<uint32_t, 2> philox_key(uint64_t seed, Stream stream);

// Uniform in [0, 1) with 53 random bits.
double uniform(uint64_t seed, Stream stream, const DrawId& id);

// 64 random bits.
uint64_t random_bits(uint64_t seed, Stream stream, const DrawId& id);

// Sequential convenience over one fixed id: position counts up with every call.
class Sequence {
 public:
  Sequence(uint64_t seed, Stream stream, uint64_t step = 0, uint64_t prompt = 0,
           uint32_t sample = 0)
      : seed_(seed), stream_(stream), id_{step, prompt, sample, 0} {}
  double uniform();                // [0, 1)
  uint64_t below(uint64_t bound);  // unbiased in [0, bound), bound > 0
  double normal();                 // mean 0, variance 1
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1)));
  }

 private:
  uint64_t seed_;
  Stream stream_;
  DrawId id_;
};

// A permutation of 0..n-1 (Fisher-Yates over Sequence).
std::vector<int64_t> permutation(int64_t n, Sequence& sequence);

}  // namespace covrl
