// Ids of tokens by their place in memory, as runs of consecutive numbers: the tokens of a sequence
// are one run, so that a loop over a million tokens reads no column of 8 bytes each. Ids are unique
// and not negative, in any order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace covrl::kernels {

// Places from `begin` to the next run's have the ids first_id, first_id + 1, ...
struct TokenRun {
  int64_t begin = 0;
  int64_t first_id = 0;
};

class TokenIds {
 public:
  TokenIds() = default;
  explicit TokenIds(std::span<const int64_t> ids);

  // first_id, first_id + 1, ... for the next `count` places.
  void append(int64_t first_id, int64_t count);

  int64_t size() const { return runs_.back().begin; }
  int64_t operator[](int64_t place) const;
  // Whether the id at place a is the smaller.
  bool precedes(int64_t a, int64_t b) const { return ascending_ ? a < b : (*this)[a] < (*this)[b]; }
  // Those of the tokens at these places.
  TokenIds at(std::span<const int64_t> places) const;
  std::vector<int64_t> column() const;  // one by one

  // The one that holds the place; the next follows it in memory.
  const TokenRun* run_of(int64_t place) const;

 private:
  std::vector<TokenRun> runs_ = {TokenRun{}};  // the last one begins where the tokens end
  bool ascending_ = true;
};

}  // namespace covrl::kernels
