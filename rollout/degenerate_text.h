// Responses that have stopped saying anything: one token, or one phrase, over and over.
//
// A stretch is periodic with period p when each of its units equals the one p places before, and
// it holds the phrase of p units at least three times. A response is degenerate when its longest
// stretch of a period up to 64 has at least 16 units and covers at least half of it. Text that
// repeats itself with changes (a growing counter in each line), and nonsense without repetition,
// are not recognised. Linear in the length: 64 comparisons a unit at most.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace covrl {

struct Repetition {
  int64_t period = 0;  // units of the phrase; 1: one token over and over; 0: nothing is repeated
  int64_t length = 0;  // units of the longest periodic stretch; of several the shortest period
};
Repetition longest_repetition(std::span<const int64_t> units);

// Of a completion's tokens, its end token included or not.
bool is_degenerate(std::span<const int64_t> tokens);
// Where only the text is at hand. Its units are words (runs of ASCII letters and digits) and single
// other characters that are no white space, so that short texts may be judged differently.
bool is_degenerate(const std::string& text);

}  // namespace covrl
