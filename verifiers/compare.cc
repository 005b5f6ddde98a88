#include "verifiers/compare.h"

#include <algorithm>

#include "verifiers/signs.h"
#include "verifiers/text.h"
#include "verifiers/unit_kinds.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

bool is_real_set(const Node& node) {
  return node.is(Kind::kUnion) || node.is(Kind::kConstant, "reals") || is_inequality(node) ||
         node.is(Kind::kDifference) || node.is(Kind::kIntersection) || removed_set(node) ||
         is_sure_interval(node);
}

bool are_inequalities(const Node& node) {
  return node.is(Kind::kList) && std::all_of(node.args.begin(), node.args.end(),
                                             [](const Node* part) { return is_inequality(*part); });
}

bool is_empty_set(const Node& node) { return node.is(Kind::kConstant, "emptyset"); }

// The letters of \text{MR} side by side: MR.
bool is_spelled(const Node& node, const std::string& text) {
  if (node.is(Kind::kSymbol)) return lower_case(node.text) == text;
  std::string letters;
  for (const Node* arg : node.args) letters += arg->is(Kind::kSymbol) ? arg->text : " ";
  return node.is(Kind::kMultiply) && lower_case(letters) == text;
}

// x, y or a, b, c, whatever the order of a point that names them: m, b has one of its own.
bool are_neighbours(const std::map<std::string, const Node*>& named) {
  char next = 0;
  for (const auto& [name, value] : named) {
    if (name.size() != 1 || (next != 0 && name[0] != next)) return false;
    next = static_cast<char>(name[0] + 1);
  }
  return true;
}

}  // namespace

bool Comparer::equal(const Node& gold, const Node& answer) {
  if (is_empty_set(gold) && answer.is(Kind::kSet)) return answer.args.empty();
  if (is_empty_set(answer) && gold.is(Kind::kSet)) return gold.args.empty();
  if (gold.is(Kind::kList) || answer.is(Kind::kList) || is_real_set(gold) || is_real_set(answer)) {
    const auto gold_region = region(gold), answer_region = region(answer);
    if (gold_region && answer_region) return equal_regions(*gold_region, *answer_region);
    const bool one_is_either = gold.is(Kind::kList, "or") != answer.is(Kind::kList, "or");
    if (one_is_either && are_inequalities(gold) && are_inequalities(answer)) return false;
  }
  if (const std::optional<bool> same = equal_named(gold, answer)) return *same;
  const Nodes gold_elements = elements(gold), answer_elements = elements(answer);
  if (gold_elements.size() == 1 && answer_elements.size() == 1)
    return equal_elements(*gold_elements[0], *answer_elements[0]);
  // "a or b" of a gold may be two ways to write one value.
  if (gold.is(Kind::kList, "or") && answer_elements.size() == 1) {
    for (const Node* other : gold_elements)
      if (!equal_elements(*gold_elements[0], *other)) return false;
    return equal_elements(*gold_elements[0], *answer_elements[0]);
  }
  return same_elements(gold_elements, answer_elements);
}

// Of a list or set, in the order given, each with both its signs; else the node itself.
Comparer::Nodes Comparer::elements(const Node& node) {
  Nodes result;
  const Node* inside = &node;
  if (node.is(Kind::kRelation) && node.args.size() == 2 && is_name(node.arg(0), node.arg(1)) &&
      node.arg(1).is(Kind::kSet) &&
      (node.relations[0] == Relation::kEqual || node.relations[0] == Relation::kIn))
    inside = node.args[1];  // x \in \{1, 2\}
  const bool several = inside->is(Kind::kList) || inside->is(Kind::kSet);
  for (const Node* element : several ? inside->args : Nodes{inside}) {
    if (several && element->is(Kind::kList)) {
      for (const Node* inner : elements(*element)) result.push_back(inner);
      continue;
    }
    for (const Node* variant : both_signs(*element, arena_, budget_)) result.push_back(variant);
  }
  return result;
}

// A matching; being the same is taken to be transitive, so the first partner will do.
bool Comparer::same_elements(const Nodes& gold, const Nodes& answer) {
  if (gold.size() != answer.size()) return false;
  std::vector<bool> used(gold.size(), false);
  for (const Node* wanted : answer) {
    size_t i = 0;
    while (i < gold.size() && (used[i] || !equal_elements(*gold[i], *wanted))) ++i;
    if (i == gold.size()) return false;
    used[i] = true;
  }
  return true;
}

bool Comparer::equal_elements(const Node& gold, const Node& answer) {
  budget_.spend(50);
  if (gold.is(Kind::kRelation) || answer.is(Kind::kRelation)) return equal_relations(gold, answer);
  if (gold.is(Kind::kQuantity) || answer.is(Kind::kQuantity)) return equal_quantities(gold, answer);
  return equal_structures(gold, answer);
}

bool Comparer::equal_quantities(const Node& gold, const Node& answer) {
  const bool both = gold.is(Kind::kQuantity) && answer.is(Kind::kQuantity);
  if (both && !units_agree(gold.text, answer.text)) return false;
  if (!both && !policy_.missing_units) return false;
  if (gold.is(Kind::kPercent) || answer.is(Kind::kPercent)) return false;  // 20 miles are no 20%
  return equal_elements(gold.is(Kind::kQuantity) ? gold.arg(0) : gold,
                        answer.is(Kind::kQuantity) ? answer.arg(0) : answer);
}

bool Comparer::equal_structures(const Node& gold, const Node& answer) {
  if (is_real_set(gold) || is_real_set(answer)) {
    const auto gold_region = region(gold), answer_region = region(answer);
    if (gold_region && answer_region) return equal_regions(*gold_region, *answer_region);
  }
  if (gold.is(Kind::kText) != answer.is(Kind::kText))
    return gold.is(Kind::kText) ? is_spelled(answer, gold.text) : is_spelled(gold, answer.text);
  const Node* gold_matrix = as_matrix(gold);
  const Node* answer_matrix = as_matrix(answer);
  if (gold_matrix || answer_matrix)
    return gold_matrix && answer_matrix && equal_matrices(*gold_matrix, *answer_matrix);
  if (gold.is(Kind::kCall, "mod") && answer.is(Kind::kCall, "mod") &&
      !equal_values(gold.arg(1), answer.arg(1)))
    return false;  // 3 (mod 7), 3 (mod 8)
  if (gold.kind == answer.kind) {
    switch (gold.kind) {
      case Kind::kTuple:
        return equal_tuples(gold, answer);
      case Kind::kRatio:
        return equal_ratios(gold, answer);
      case Kind::kTime:
        return equal_times(gold, answer);
      case Kind::kBased:
        return gold.text == answer.text && equal_values(gold.arg(0), answer.arg(0));
      case Kind::kList:
      case Kind::kSet:
        return same_elements(elements(gold), elements(answer));
      case Kind::kText:
      case Kind::kOpaque:
        return gold.text == answer.text;
      case Kind::kUnion:
      case Kind::kIntersection:
      case Kind::kDifference:
        return same_elements(gold.args, answer.args);
      default:
        break;
    }
  }
  return equal_values(gold, answer);
}

bool Comparer::equal_tuples(const Node& gold, const Node& answer) {
  if (gold.args.size() != answer.args.size()) return false;
  if (gold.open != answer.open || gold.close != answer.close) return false;
  for (size_t i = 0; i < gold.args.size(); ++i) {
    const Nodes left = elements(gold.arg(i)), right = elements(answer.arg(i));
    if (!same_elements(left, right)) return false;
  }
  return true;
}

bool Comparer::equal_matrices(const Node& gold, const Node& answer) {
  if (gold.args.size() != answer.args.size() || gold.columns != answer.columns) return false;
  for (size_t i = 0; i < gold.args.size(); ++i)
    if (!equal_values(gold.arg(i), answer.arg(i))) return false;
  return true;
}

// 2:4 = 1:2
bool Comparer::equal_ratios(const Node& gold, const Node& answer) {
  if (gold.args.size() != answer.args.size()) return false;
  for (size_t i = 1; i < gold.args.size(); ++i)
    if (!equal_values(*product(gold.arg(i), answer.arg(0)), *product(answer.arg(i), gold.arg(0))))
      return false;
  return true;
}

bool Comparer::equal_times(const Node& gold, const Node& answer) {
  return gold.text == answer.text && equal_values(gold.arg(0), answer.arg(0)) &&
         equal_values(gold.arg(1), answer.arg(1));
}

const Node* Comparer::product(const Node& a, const Node& b) {
  return arena_.make(Kind::kMultiply, {&a, &b});
}

// a = 1, b = 2: a point for whom the names are in the order of the alphabet. Empty for all else,
// and where names differ in their subscripts alone: x_1 = 1, x_2 = 2 are two solutions.
std::map<std::string, const Node*> Comparer::named_values(const Node& node) {
  std::map<std::string, const Node*> values;
  const auto add = [&](const Node& name, const Node& value) {
    return name.is(Kind::kSymbol) && values.emplace(letter_of(name), &value).second;
  };
  bool is_named = true;
  if (node.is(Kind::kList) && node.text != "or") {
    for (const Node* part : node.args)
      is_named = is_named && is_equation(*part) && part->args.size() == 2 &&
                 add(part->arg(0), part->arg(1));
  } else if (is_equation(node) && node.args.size() == 2 && node.arg(0).is(Kind::kTuple) &&
             node.arg(1).is(Kind::kTuple) && node.arg(0).args.size() == node.arg(1).args.size()) {
    for (size_t i = 0; i < node.arg(0).args.size(); ++i)  // (a, b) = (1, 2)
      is_named = is_named && add(node.arg(0).arg(i), node.arg(1).arg(i));
  }
  if (!is_named) values.clear();
  return values;
}

// nullopt when not both sides name their values, or one does and the other is no point.
std::optional<bool> Comparer::equal_named(const Node& gold, const Node& answer) {
  const auto left = named_values(gold), right = named_values(answer);
  if (left.empty() == right.empty()) {
    if (left.empty() || left.size() != right.size()) return std::nullopt;
    for (const auto& [name, value] : left) {
      const auto same = right.find(name);
      if (same == right.end()) return std::nullopt;
      if (!equal(*value, *same->second)) return false;
    }
    return true;
  }
  const Node& point = left.empty() ? gold : answer;
  const auto& named = left.empty() ? right : left;
  const bool is_list = (left.empty() ? answer : gold).is(Kind::kList);
  if (!(is_list || are_neighbours(named)) || !point.is(Kind::kTuple) || point.open != '(' ||
      point.close != ')' || point.args.size() != named.size())
    return std::nullopt;
  size_t i = 0;
  for (const auto& [name, value] : named)
    if (!equal_elements(*point.args[i++], *value)) return false;
  return true;
}

// [[1, 2], [3, 4]] as a matrix; nullptr for all else.
const Node* Comparer::as_rows(const Node& node) {
  const auto is_row = [&](const Node* row) {
    return row->is(Kind::kTuple) && row->open == '[' && row->close == ']' &&
           row->args.size() == node.arg(0).args.size();
  };
  if (node.open != '[' || node.close != ']' ||
      !std::all_of(node.args.begin(), node.args.end(), is_row))
    return nullptr;
  Node matrix{.kind = Kind::kMatrix, .columns = static_cast<int>(node.arg(0).args.size())};
  for (const Node* row : node.args)
    matrix.args.insert(matrix.args.end(), row->args.begin(), row->args.end());
  return arena_.add(std::move(matrix));
}

// A matrix, or one that is multiplied, divided or negated; nullptr for all else.
const Node* Comparer::as_matrix(const Node& node) {
  if (node.is(Kind::kMatrix)) return &node;
  if (node.is(Kind::kTuple)) return as_rows(node);
  const Node* matrix = nullptr;
  Nodes scalars;
  if (node.is(Kind::kMultiply) || node.is(Kind::kNegate)) {
    for (const Node* arg : node.args) {
      const Node* inner = as_matrix(*arg);
      if (inner && matrix) return nullptr;
      if (inner)
        matrix = inner;
      else
        scalars.push_back(arg);
    }
    if (matrix && node.is(Kind::kNegate)) scalars.push_back(arena_.number(-1));
  } else if (node.is(Kind::kDivide)) {
    matrix = as_matrix(node.arg(0));
    if (matrix) scalars.push_back(arena_.make(Kind::kDivide, {arena_.number(1), node.args[1]}));
  }
  if (!matrix) return nullptr;
  Node scaled{.kind = Kind::kMatrix, .columns = matrix->columns};
  for (const Node* cell : matrix->args) {
    Nodes factors = scalars;
    factors.push_back(cell);
    scaled.args.push_back(arena_.make(Kind::kMultiply, std::move(factors)));
  }
  return arena_.add(std::move(scaled));
}

}  // namespace covrl::math
