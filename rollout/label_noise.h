// Wrong labels, to see how robust training is to them. Procedure of arXiv 2504.20571, C.2.4: add or
// subtract a number up to 10 and change the sign at random; of a fraction, numerator and
// denominator alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "rollout/types.h"

namespace covrl {

// A label of another value. Whole numbers and decimals: n +- k, k from 1 to 10, then a random sign.
// Fractions (\frac, \dfrac, \tfrac, a/b): so for both parts, then a random sign; no part is 0. The
// paper says nothing of other labels (\frac{3\sqrt{2}}{2}, (16,17), 99\%): here the first whole
// number in it, subscripts apart, is moved by 1 to 10 and stays positive. Null where there is none.
std::optional<std::string> wrong_label(const std::string& label, Sequence& draws);

struct LabelNoiseCounts {
  int64_t num_problems = 0;  // by id
  int64_t num_wrong = 0;
  int64_t num_without_number = 0;
};

// Makes the labels of round(share * problems) wrong, chosen at random among those that hold a
// number; copies of a problem get the same label. A function of (seed, the rows' order).
// Error(kUsage) when too few hold one.
LabelNoiseCounts add_label_noise(std::vector<Prompt>& rows, double share, uint64_t seed);

}  // namespace covrl
