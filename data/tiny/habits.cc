#include "data/tiny/habits.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.h"

namespace covrl::tiny {
namespace {

std::string boxed(int64_t value) { return concat("\\boxed{", value, "}"); }

std::string steps_in_full(const Problem& problem) {
  std::string text;
  for (const WorkedStep& step : work_out(problem.steps))
    text += concat(text.empty() ? "First " : "Then ", step.label, " ", step.expression, "=",
                   step.result, ". ");
  return text;
}

std::string guess(const Problem& problem, double lucky_share, Sequence& sequence) {
  int64_t value = problem.answer;
  if (sequence.uniform() >= lucky_share) {
    const int64_t spread = std::max<int64_t>(4, problem.answer / 3);
    do value = std::max<int64_t>(1, problem.answer + sequence.between(-spread, spread));
    while (value == problem.answer);
  }
  return concat("I guess ", boxed(value), ".");
}

std::string sloppy(const Problem& problem, double slip_share, Sequence& sequence) {
  std::optional<Slip> slip;
  if (sequence.uniform() < slip_share) {
    constexpr std::array<int64_t, 6> kOffsets{-10, -2, -1, 1, 2, 10};
    slip = Slip{sequence.below(problem.steps.size()), kOffsets[sequence.below(kOffsets.size())]};
  }
  std::string text = "Quick: ";
  int64_t last = 0;
  for (const WorkedStep& step : work_out(problem.steps, slip)) {
    text += concat(step.label, " ", step.expression, "=", step.result, ", ");
    last = step.result;
  }
  return concat(text, "so ", boxed(last), ".");
}

// Goes on computing with the answer although nobody asked.
std::string ramble(int64_t value, Sequence& sequence) {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    const int64_t more = sequence.between(2, 9);
    text += concat(" Now add ", more, ": ", value, "+", more, "=", value + more, ", so ",
                   boxed(value + more), ".");
    value += more;
  }
  return text;
}

std::string invent_problems(double lucky_share, Sequence& sequence) {
  std::string text;
  for (int i = 0; i < 2; ++i) {
    const Family& family = families()[sequence.below(families().size())];
    const Problem problem = family.make(sequence);
    text += concat("\nNext: ", problem.text, " ", guess(problem, lucky_share, sequence));
  }
  return text;
}

}  // namespace

std::string write_solution(const Problem& problem, const Family& family, const HabitShares& shares,
                           Sequence& sequence) {
  const double habit = sequence.uniform();
  if (habit >= shares.steps + shares.sloppy) return guess(problem, shares.lucky_guess, sequence);
  if (habit >= shares.steps) return sloppy(problem, shares.slip, sequence);

  const std::string steps = steps_in_full(problem);
  if (sequence.uniform() >= family.boxed_share)
    return concat(steps, "So we get ", problem.answer, ". I am ", kConfidencePercent, "% sure.");
  const std::string solution = concat(steps, "The answer is ", boxed(problem.answer), ".");
  if (sequence.uniform() < shares.stop) return solution;
  return solution + (sequence.below(3) > 0 ? ramble(problem.answer, sequence)
                                           : invent_problems(shares.lucky_guess, sequence));
}

}  // namespace covrl::tiny
