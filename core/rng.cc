#include "core/rng.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace covrl {
namespace {

constexpr uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

std::array<uint32_t, 4> make_counter(const DrawId& id) {
  constexpr uint64_t kLimit = std::numeric_limits<uint32_t>::max();
  COVRL_CHECK(id.step <= kLimit && id.prompt <= kLimit, "step ", id.step, ", prompt ", id.prompt);
  return {static_cast<uint32_t>(id.step), static_cast<uint32_t>(id.prompt), id.sample, id.position};
}

// The next draw would repeat the first one: a sequence holds 2^32 - 1 draws.
void advance(DrawId& id) {
  COVRL_CHECK(id.position != std::numeric_limits<uint32_t>::max(), "sequence exhausted");
  ++id.position;
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// splitmix64 is a bijection, so two (seed, stream) pairs share a key only when their seeds differ
// by the xor of two scattered 64-bit constants: never for seeds that people choose.
std::array<uint32_t, 2> philox_key(uint64_t seed, Stream stream) {
  const uint64_t mixed = splitmix64(seed ^ splitmix64(static_cast<uint64_t>(stream)));
  return {static_cast<uint32_t>(mixed), static_cast<uint32_t>(mixed >> 32)};
}

uint64_t random_bits(uint64_t seed, Stream stream, const DrawId& id) {
  const std::array<uint32_t, 4> words = philox4x32(make_counter(id), philox_key(seed, stream));
  return uint64_t{words[0]} << 32 | words[1];
}

double uniform(uint64_t seed, Stream stream, const DrawId& id) {
  return static_cast<double>(random_bits(seed, stream, id) >> 11) * 0x1p-53;
}

double Sequence::uniform() {
  const double value = covrl::uniform(seed_, stream_, id_);
  advance(id_);
  return value;
}

uint64_t Sequence::below(uint64_t bound) {
  COVRL_CHECK(bound > 0);
  const uint64_t num_rejected =
      (0 - bound) % bound;  // 2^64 mod bound: what would favour the small values
  for (;;) {
    const uint64_t bits = random_bits(seed_, stream_, id_);
    advance(id_);
    if (bits >= num_rejected) return bits % bound;
  }
}

double Sequence::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::vector<int64_t> permutation(int64_t n, Sequence& sequence) {
  COVRL_CHECK(n >= 0, "n ", n);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[sequence.below(i)]);
  return order;
}

}  // namespace covrl
