// Sums of log-probs and advantages that have no order: the same bits for any order of tokens, any
// cut into threads, blocks or ranks, on any device.
//
// A value is split into the nearest multiple of 2^(scale - 24) and, of what is left, the nearest of
// 2^(scale - 60). Each part is summed as an integer, so that adding is exact. At scale 0 nothing is
// lost of a float32 of at least 2^-36, and less than 2^-60 of any other value.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/host_device.h"

namespace covrl::kernels {

// Where all log-probs, or all advantages, are equal, the mean is that value, so that every
// covariance is exactly 0. Where one is not finite, its mean and every covariance are NaN.
struct CovarianceMoments {
  int64_t count = 0;  // tokens in the mask
  double mean_logprob = 0, mean_advantage = 0;
};

// Modulo 2^64: parts of values that are too large for the scale add up to anything.
COVRL_HOST_DEVICE int64_t add_parts(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// Values of one column. Between ranks the integers are summed, smallest and largest minimised and
// maximised.
struct ColumnSums {
  int64_t high = 0, low = 0;  // units of 2^(scale - 24), of 2^(scale - 60)
  double smallest = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();

  COVRL_HOST_DEVICE void add(const ColumnSums& other) {
    high = add_parts(high, other.high);
    low = add_parts(low, other.low);
    smallest = other.smallest < smallest ? other.smallest : smallest;
    largest = other.largest > largest ? other.largest : largest;
  }
};

// Tokens of the mask. num_nan is above 0 where one of their values is NaN.
struct MomentSums {
  int64_t count = 0, num_nan = 0;
  ColumnSums logprob, advantage;

  COVRL_HOST_DEVICE void add(const MomentSums& other) {
    count += other.count;
    num_nan += other.num_nan;
    logprob.add(other.logprob);
    advantage.add(other.advantage);
  }
};

constexpr int64_t kMostMomentTokens = int64_t{1} << 28;  // as many low parts fit into 64 bits

// The numbers that round a value x to its high part, (x + high) - high, and the rest to its low
// part; and show the parts as integers, in the bits of x + high less those of high.
struct SplitConstants {
  double high, low;
};
COVRL_HOST_DEVICE SplitConstants split_constants(int scale) {
  return {ldexp(1.5, scale + 28), ldexp(1.5, scale - 8)};
}

// The least scale, at least 0, at which sums of `count` values of this size are exact; -1 when one
// is infinite or as good as.
COVRL_HOST_DEVICE int exact_scale(const ColumnSums& sums, int64_t count) {
  const double size = sums.largest > -sums.smallest ? sums.largest : -sums.smallest;
  const double bound = size * static_cast<double>(count > 4096 ? count : 4096);
  if (!(bound <= 0x1p500)) return -1;
  int scale = 0;
  while (!(bound < ldexp(1.0, scale + 38))) ++scale;
  return scale;
}

// (high 2^36 + low) 2^(scale - 60) / count, rounded once.
COVRL_HOST_DEVICE double exact_mean(int64_t high, int64_t low, int64_t count, int scale) {
  __extension__ typedef __int128 Signed;
  __extension__ typedef unsigned __int128 Unsigned;
  const Signed total = static_cast<Signed>(high) * (int64_t{1} << 36) + low;
  Unsigned size = static_cast<Unsigned>(total < 0 ? -total : total);
  if (size == 0) return 0;
  int bits = 0;
  while (size >> bits >= static_cast<Unsigned>(count)) ++bits;  // the quotient is below 2^bits
  const int shift = 60 - bits;  // so that it has about 60 bits, and no more
  bool inexact = false;
  if (shift >= 0) {
    size <<= shift;
  } else {
    inexact = (size & ((Unsigned{1} << -shift) - 1)) != 0;
    size >>= -shift;
  }
  uint64_t quotient = 0, rest = 0;  // by digits of 32 bits: the count has no more
  for (int digit = 3; digit >= 0; --digit) {
    const uint64_t part = rest << 32 | (static_cast<uint64_t>(size >> 32 * digit) & 0xffffffffu);
    quotient = quotient << 32 | part / static_cast<uint64_t>(count);
    rest = part % static_cast<uint64_t>(count);
  }
  inexact = inexact || rest != 0;
  if (inexact) quotient |= 1;  // far below the last bit of a double: decides between halves alone
  const double mean = ldexp(static_cast<double>(quotient), scale - 60 - shift);
  return total < 0 ? -mean : mean;
}

// See CovarianceMoments.
COVRL_HOST_DEVICE double mean_of(const ColumnSums& sums, const MomentSums& all, int scale) {
  if (all.count == 0) return 0;
  if (all.num_nan > 0 || scale < 0) return NAN;
  if (sums.smallest == sums.largest) return sums.smallest;
  return exact_mean(sums.high, sums.low, all.count, scale);
}

}  // namespace covrl::kernels
