// One step of radix_select.h, for the loops of each device.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/host_device.h"

namespace covrl::kernels {

constexpr int kRadixBits = 11, kRadixBins = 1 << kRadixBits;
constexpr int kRadixDigits = 6;  // of a 64-bit key; the last has 9 bits

// Ordered as the numbers are; -0 is 0, NaN below all.
COVRL_HOST_DEVICE uint64_t radix_key(double value) {
  if (value != value) return 0;
  value += 0.0;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
}
COVRL_HOST_DEVICE double value_of_radix_key(uint64_t key) {
  const uint64_t bits = key == 0         ? ~uint64_t{0}
                        : key >> 63 != 0 ? key & ~(uint64_t{1} << 63)
                                         : ~key;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
COVRL_HOST_DEVICE uint64_t radix_key_of_id(int64_t id) {
  return ~(static_cast<uint64_t>(id) ^ uint64_t{1} << 63);
}

// The search for the pair (key, id key) that as many pairs as are wanted are not below.
struct RadixSearch {
  uint64_t key = 0, id_key = 0;  // the digits found so far, then zeros
  int64_t wanted = 0;            // of the pairs that agree with them
  int32_t digit = 0;             // the next one: of the key, then of the id key
  bool whole_key = false;  // the key alone is sought, to its last bit; else the search is over as
                           // soon as it is clear which pairs are not below

  COVRL_HOST_DEVICE bool done() const { return digit >= (whole_key ? 1 : 2) * kRadixDigits; }

  COVRL_HOST_DEVICE bool agrees(uint64_t of_key, uint64_t of_id_key) const {
    if (digit >= kRadixDigits)
      return of_key == key && same_above(of_id_key, id_key, digit - kRadixDigits);
    return same_above(of_key, key, digit);
  }

  COVRL_HOST_DEVICE int bin(uint64_t of_key, uint64_t of_id_key) const {
    const uint64_t bits = digit < kRadixDigits ? of_key : of_id_key;
    return static_cast<int>(bits >> shift(digit % kRadixDigits)) & (kRadixBins - 1) &
           (digit % kRadixDigits == kRadixDigits - 1 ? 0x1ff : ~0);
  }

  // Whether the pair is one of those wanted, at the end.
  COVRL_HOST_DEVICE bool selects(uint64_t of_key, uint64_t of_id_key) const {
    return of_key > key || (of_key == key && of_id_key >= id_key);
  }

  // The wanted one is the `wanted`-th from above in `bin`, which has `in_bin`.
  COVRL_HOST_DEVICE void descend(int bin, int64_t wanted_in_bin, int64_t in_bin) {
    uint64_t& found = digit < kRadixDigits ? key : id_key;
    found |= static_cast<uint64_t>(bin) << shift(digit % kRadixDigits);
    wanted = wanted_in_bin;
    digit = !whole_key && wanted == in_bin ? 2 * kRadixDigits : digit + 1;
  }
  // Every pair is wanted, or none.
  COVRL_HOST_DEVICE void end(bool all) {
    key = id_key = all ? 0 : ~uint64_t{0};
    digit = 2 * kRadixDigits;
  }

 private:
  // Of the lowest bit of a digit.
  COVRL_HOST_DEVICE static int shift(int digit) {
    return digit == kRadixDigits - 1 ? 0 : 64 - kRadixBits * (digit + 1);
  }
  COVRL_HOST_DEVICE static bool same_above(uint64_t a, uint64_t b, int digit) {
    return digit == 0 || (a ^ b) >> (64 - kRadixBits * digit) == 0;
  }
};

}  // namespace covrl::kernels
