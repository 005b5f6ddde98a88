// A word problem of the tiny world together with the steps that solve it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace covrl::tiny {

enum class Operation {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPercent
};  // kPercent: left % of right

// A number of the problem text, or the result of an earlier step.
struct Term {
  int64_t value = 0;
  std::optional<size_t> from_step;
};
Term number(int64_t value);
Term result_of(size_t step);

struct Step {
  std::string label;  // what is computed: "cost"
  Term left;
  Operation operation = Operation::kAdd;
  Term right;
};

struct Problem {
  std::string family;
  std::string text;
  std::vector<Step> steps;
  int64_t answer = 0;  // result of the last step
};

// An arithmetic mistake: the result of `step` is off by `offset`; later steps build on it.
struct Slip {
  size_t step = 0;
  int64_t offset = 0;
};

// A step as it was worked out: {"cost", "3*4", 12}.
struct WorkedStep {
  std::string label;
  std::string expression;
  int64_t result = 0;
};
std::vector<WorkedStep> work_out(const std::vector<Step>& steps, std::optional<Slip> slip = {});

// Sets the answer. Divisions and percentages must come out whole (COVRL_CHECK).
Problem make_problem(std::string family, std::string text, std::vector<Step> steps);

}  // namespace covrl::tiny
