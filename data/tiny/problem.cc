#include "data/tiny/problem.h"

#include <utility>

#include "core/error.h"

namespace covrl::tiny {
namespace {

// Division rounds towards zero: it is exact except after a slip.
int64_t apply(Operation operation, int64_t left, int64_t right) {
  switch (operation) {
    case Operation::kAdd:
      return left + right;
    case Operation::kSubtract:
      return left - right;
    case Operation::kMultiply:
      return left * right;
    case Operation::kDivide:
      return left / right;
    case Operation::kPercent:
      return left * right / 100;
  }
  COVRL_CHECK(false, "unknown operation");
}

const char* symbol(Operation operation) {
  switch (operation) {
    case Operation::kAdd:
      return "+";
    case Operation::kSubtract:
      return "-";
    case Operation::kMultiply:
      return "*";
    case Operation::kDivide:
      return "/";
    case Operation::kPercent:
      return "% of ";
  }
  COVRL_CHECK(false, "unknown operation");
}

bool comes_out_whole(Operation operation, int64_t left, int64_t right) {
  if (operation == Operation::kDivide) return left % right == 0;
  if (operation == Operation::kPercent) return left * right % 100 == 0;
  return true;
}

int64_t value_of(const Term& term, const std::vector<WorkedStep>& done) {
  return term.from_step ? done.at(*term.from_step).result : term.value;
}

}  // namespace

Term number(int64_t value) { return {value, std::nullopt}; }
Term result_of(size_t step) { return {0, step}; }

std::vector<WorkedStep> work_out(const std::vector<Step>& steps, std::optional<Slip> slip) {
  std::vector<WorkedStep> done;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const int64_t left = value_of(step.left, done);
    const int64_t right = value_of(step.right, done);
    int64_t result = apply(step.operation, left, right);
    if (slip && slip->step == i) result += slip->offset;
    done.push_back({step.label, concat(left, symbol(step.operation), right), result});
  }
  return done;
}

Problem make_problem(std::string family, std::string text, std::vector<Step> steps) {
  std::vector<WorkedStep> done;
  for (const Step& step : steps) {
    const int64_t left = value_of(step.left, done);
    const int64_t right = value_of(step.right, done);
    COVRL_CHECK(comes_out_whole(step.operation, left, right), text);
    done.push_back({step.label, "", apply(step.operation, left, right)});
  }
  const int64_t answer = done.back().result;
  return {std::move(family), std::move(text), std::move(steps), answer};
}

}  // namespace covrl::tiny
