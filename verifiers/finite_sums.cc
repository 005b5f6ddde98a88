#include "verifiers/finite_sums.h"

#include <algorithm>
#include <optional>

#include "verifiers/substitute.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

constexpr long kMostTerms = 1'000;

bool is_big(const Node& node) {
  return node.is(Kind::kCall, "sum") || node.is(Kind::kCall, "prod");
}

bool has_big(const Node& node) {
  return is_big(node) || std::any_of(node.args.begin(), node.args.end(),
                                     [](const Node* arg) { return has_big(*arg); });
}

// Of numbers, their sums and products; nullopt for all else.
std::optional<mpq_class> number(const Node& node) {
  if (node.is(Kind::kNumber)) return node.value;
  const bool is_sum = node.is(Kind::kAdd) || node.is(Kind::kNegate);
  if (!is_sum && !node.is(Kind::kMultiply)) return std::nullopt;
  mpq_class total = is_sum ? 0 : 1;
  for (const Node* arg : node.args) {
    const auto next = number(*arg);
    if (!next) return std::nullopt;
    total = is_sum ? mpq_class(total + *next) : mpq_class(total * *next);
  }
  return node.is(Kind::kNegate) ? mpq_class(-total) : total;
}

struct Bounds {
  std::string index;
  long low = 0, high = 0;
};

// Whether the index occurs where no number can take its place: in a name, or as another's index.
bool is_bound_elsewhere(const Node& node, const std::string& index) {
  if (node.is(Kind::kSymbol) && node.text != index && node.text.find(index) != std::string::npos)
    return true;
  if (is_big(node) && node.args.size() == 3 && node.arg(0).is(Kind::kRelation) &&
      is_named(node.arg(0).arg(0), index))
    return true;
  return std::any_of(node.args.begin(), node.args.end(),
                     [&](const Node* arg) { return is_bound_elsewhere(*arg, index); });
}

std::optional<Bounds> bounds_of(const Node& node) {
  if (node.args.size() != 3 || !node.arg(0).is(Kind::kRelation) || node.arg(0).args.size() != 2 ||
      node.arg(0).relations[0] != Relation::kEqual)
    return std::nullopt;
  const Node& index = node.arg(0).arg(0);
  const auto low = number(node.arg(0).arg(1)), high = number(node.arg(1));
  if (!index.is(Kind::kSymbol) && !index.is(Kind::kConstant, "i")) return std::nullopt;
  if (!low || !high || low->get_den() != 1 || high->get_den() != 1 || *low > *high ||
      *high - *low >= kMostTerms || !low->get_num().fits_sint_p() ||
      is_bound_elsewhere(node.arg(2), index.text))
    return std::nullopt;
  return Bounds{index.text, low->get_num().get_si(), high->get_num().get_si()};
}

class Writer {
 public:
  Writer(Arena& arena, WorkBudget& budget) : arena_(arena), budget_(budget) {}

  const Node* written_out(const Node& node) {
    if (!has_big(node)) return &node;
    if (is_big(node))
      if (const auto bounds = bounds_of(node)) return terms(node, *bounds);
    Node copy = node;
    for (const Node*& arg : copy.args) arg = written_out(*arg);
    return arena_.add(std::move(copy));
  }

 private:
  const Node* terms(const Node& node, const Bounds& bounds) {
    std::vector<const Node*> terms;
    for (long k = bounds.low; k <= bounds.high; ++k)
      terms.push_back(
          written_out(*substituted(node.arg(2), bounds.index, *arena_.number(k), arena_, budget_)));
    return arena_.make(node.text == "sum" ? Kind::kAdd : Kind::kMultiply, std::move(terms));
  }

  Arena& arena_;
  WorkBudget& budget_;
};

}  // namespace

const Node* without_finite_sums(const Node& node, Arena& arena, WorkBudget& budget) {
  return Writer(arena, budget).written_out(node);
}

}  // namespace covrl::math
