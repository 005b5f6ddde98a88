// Equations up to a factor, inequalities, congruences, and values against equations.
#include <algorithm>

#include "verifiers/asked_for.h"
#include "verifiers/compare.h"
#include "verifiers/probe.h"
#include "verifiers/substitute.h"
#include "verifiers/text.h"
#include "verifiers/vocabulary.h"

namespace covrl::math {

namespace {

using Kind = NodeKind;

bool all_of(const Node& relation, Relation wanted) {
  return std::all_of(relation.relations.begin(), relation.relations.end(),
                     [&](Relation r) { return r == wanted; });
}

bool is_capital(const Node& node) {
  return node.is(Kind::kSymbol) && node.text[0] >= 'A' && node.text[0] <= 'Z';
}

Relation mirrored(Relation relation) {
  switch (relation) {
    case Relation::kLess:
      return Relation::kGreater;
    case Relation::kLessEqual:
      return Relation::kGreaterEqual;
    case Relation::kGreater:
      return Relation::kLess;
    case Relation::kGreaterEqual:
      return Relation::kLessEqual;
    default:
      return relation;
  }
}

// 0 = 0
bool is_repetition(const Node& relation) {
  return std::all_of(relation.args.begin(), relation.args.end(), [](const Node* side) {
    return side->is(Kind::kNumber) || (side->is(Kind::kNegate) && side->arg(0).is(Kind::kNumber));
  });
}

bool has_words(const Node& relation) {
  return relation.arg(0).is(Kind::kText) || relation.arg(1).is(Kind::kText);
}

// |x| = 5 leaves x open; |z| and |AB| are sizes that are asked for.
bool is_size_of_unknown(const Node& node) {
  if (!node.is(Kind::kCall, "abs") || !node.arg(0).is(Kind::kSymbol)) return false;
  const std::string& name = node.arg(0).text;
  return name.size() == 1 && name[0] >= 'a' && name[0] < 'z' && name != "w";
}

bool holds(const Node& node, const std::string& symbol) {
  return node.is(Kind::kSymbol, symbol) ||
         std::any_of(node.args.begin(), node.args.end(),
                     [&](const Node* arg) { return holds(*arg, symbol); });
}

// x of f(x); empty for other names.
std::string defined_letter(const Node& name) {
  const size_t open = name.text.find('(');
  const bool is_definition = name.is(Kind::kSymbol) && open != std::string::npos &&
                             name.text.size() == open + 3 && is_letter(name.text[open + 1]);
  return is_definition ? name.text.substr(open + 1, 1) : "";
}

// x and x_1, but not x and y, nor x and \sin x or |x|.
bool may_be_one(const Node& a, const Node& b) {
  if (a.is(Kind::kSymbol) && b.is(Kind::kSymbol)) return letter_of(a) == letter_of(b);
  if (a.is(Kind::kSymbol) && b.is(Kind::kCall)) return !holds(b, a.text);
  if (b.is(Kind::kSymbol) && a.is(Kind::kCall)) return !holds(a, b.text);
  return true;
}

using Assignment = Comparer::Assignment;

Assignment assignment(const Node& relation) {
  const Node& first = relation.arg(0);
  const Node& last = *relation.args.back();
  const bool member = relation.args.size() == 2 && relation.relations[0] == Relation::kIn;
  if (!member && !is_equation(relation)) return {};
  if (is_name(first, last)) return {&first, &last};
  if (!member && relation.args.size() == 2 && is_name(last, first)) return {&last, &first};
  return {};
}

}  // namespace

std::string_view letter_of(const Node& symbol) {
  const std::string_view name = symbol.text;
  return name.substr(name.starts_with('\\'), name.find('_') - name.starts_with('\\'));
}

bool is_equation(const Node& node) {
  return node.is(Kind::kRelation) && all_of(node, Relation::kEqual);
}

bool is_inequality(const Node& node) {
  return node.is(Kind::kRelation) &&
         std::none_of(node.relations.begin(), node.relations.end(), [](Relation r) {
           return r == Relation::kEqual || r == Relation::kIn || r == Relation::kCongruent;
         });
}

bool is_name(const Node& node, const Node& value) {
  switch (node.kind) {
    case Kind::kSymbol:
    case Kind::kText:
      return true;
    case Kind::kConstant:
      return node.text == "e" || node.text == "i";
    case Kind::kCall:  // f(x), |AB|
      if (is_size_of_unknown(node)) return false;
      return node.text.size() == 1 || node.text.size() == 2 ||
             (node.text == "abs" && is_name(node.arg(0), value)) ||
             (is_function(node.text) && node.args.size() == 1 && node.arg(0).is(Kind::kSymbol) &&
              !has_symbols(value));  // \sin A
    case Kind::kMultiply:            // AB; beside a formula it is a product
      if (node.args.size() == 2 && node.arg(0).is(Kind::kSymbol, "m") &&
          node.arg(1).text.starts_with("angle"))
        return true;
      return node.args.size() <= 4 && !has_symbols(value) &&
             std::all_of(node.args.begin(), node.args.end(), [](const Node* arg) {
               return is_capital(*arg) || arg->text.starts_with("angle");
             });
    case Kind::kTuple:
      if (value.is(Kind::kNumber)) return false;
      [[fallthrough]];
    case Kind::kRatio:
      return std::all_of(node.args.begin(), node.args.end(),
                         [&](const Node* arg) { return is_name(*arg, value); });
    default:
      return false;
  }
}

const Node* Comparer::difference(const Node& a, const Node& b) {
  return arena_.make(Kind::kAdd, {&a, arena_.make(Kind::kNegate, {&b})});
}

// Without a last side that only rounds the one before it: 2 of 2\sqrt{3} = \sqrt{12} \approx 3.46.
size_t Comparer::num_exact_sides(const Node& relation) {
  const size_t n = relation.args.size();
  const Node& last = relation.arg(n - 1);
  const Node& before = relation.arg(n - 2);
  const bool is_rounding = last.digits > 0 && before.digits == 0 && is_equation(relation) &&
                           !has_symbols(before) && rounds_to(last, before);
  return is_rounding ? n - 1 : n;
}

// |AB| = -5
bool Comparer::is_impossible(const Assignment& assigned) {
  return assigned.name->is(Kind::kCall, "abs") && !has_symbols(*assigned.value) &&
         order(*assigned.value, *arena_.number(0), budget_) == -1;
}

// x^2 for f(n) = n^2 beside a gold of f(x) = ...; nullptr when they are no such definitions.
const Node* Comparer::value_in_letter_of(const Node& gold, const Node& answer) {
  if (!is_equation(gold) || !is_equation(answer) || gold.args.size() != 2 ||
      answer.args.size() != 2)
    return nullptr;
  const std::string wanted = defined_letter(gold.arg(0)), letter = defined_letter(answer.arg(0));
  if (wanted.empty() || letter.empty() || wanted == letter) return nullptr;
  const bool same_name = gold.arg(0).text.substr(0, gold.arg(0).text.find('(')) ==
                         answer.arg(0).text.substr(0, answer.arg(0).text.find('('));
  if (!same_name || holds(answer.arg(1), wanted)) return nullptr;
  const Node* symbol = arena_.make(Kind::kSymbol, {}, wanted);
  return substituted(answer.arg(1), letter, *symbol, arena_, budget_);
}

bool Comparer::equal_relations(const Node& gold, const Node& answer) {
  if (!answer.is(Kind::kRelation)) return value_of_relation_equals(gold, answer, true);
  if (!gold.is(Kind::kRelation)) return value_of_relation_equals(answer, gold, false);
  if (is_inequality(gold) && is_inequality(answer)) return equal_inequalities(gold, answer);
  const bool congruence = gold.relations[0] == Relation::kCongruent;
  if (congruence && answer.relations[0] == Relation::kCongruent)
    return equal_congruences(gold, answer);
  if (is_equation(gold) && is_equation(answer) && equal_equations(gold, answer)) return true;
  if (const Node* value = value_in_letter_of(gold, answer)) return equal(gold.arg(1), *value);
  const Assignment left = assignment(gold), right = assignment(answer);
  if (!left.name || !right.name) {
    const auto gold_region = region(gold), answer_region = region(answer);
    return gold_region && answer_region && equal_regions(*gold_region, *answer_region);
  }
  if (!may_be_one(*left.name, *right.name)) return false;
  if (is_impossible(left) || is_impossible(right)) return false;
  const bool same_name = to_text(*left.name) == to_text(*right.name);
  if (!same_name && (has_symbols(*left.value) || has_symbols(*right.value))) return false;
  return equal(*left.value, *right.value);
}

bool Comparer::equal_equations(const Node& gold, const Node& answer) {
  if (gold.args.size() != 2 || answer.args.size() != 2) return false;
  if (has_words(gold) || has_words(answer))
    return (equal_elements(gold.arg(0), answer.arg(0)) &&
            equal_elements(gold.arg(1), answer.arg(1))) ||
           (equal_elements(gold.arg(0), answer.arg(1)) &&
            equal_elements(gold.arg(1), answer.arg(0)));
  const Node* left = difference(gold.arg(0), gold.arg(1));
  const Node* right = difference(answer.arg(0), answer.arg(1));
  try {
    const auto& a = exact_.value(*left);
    const auto& b = exact_.value(*right);
    if (!a || !b) return false;
    if (a->is_zero() || b->is_zero()) return false;  // 0 = 0 says nothing
    if (exact_.algebra().ratio(*a, *b)) {
      how_ = "as equations, exactly";
      return true;
    }
    if (exact_.algebra().is_independent(a->above) && exact_.algebra().is_independent(b->above))
      return false;
  } catch (const Undefined&) {
    return false;
  }
  if (!has_symbols(*left) || !has_symbols(*right)) return false;
  how_ = "as equations, at points";
  return probe_ratio(gold.arg(0), gold.arg(1), answer.arg(0), answer.arg(1), budget_).verdict ==
         Probe::kEqual;
}

// Of what two relations of two sides compare with zero; nullopt when it is no number.
std::optional<mpq_class> Comparer::ratio_of_differences(const Node& gold, const Node& answer) {
  try {
    const auto& a = exact_.value(*difference(gold.arg(0), gold.arg(1)));
    const auto& b = exact_.value(*difference(answer.arg(0), answer.arg(1)));
    return a && b ? exact_.algebra().ratio(*a, *b) : std::nullopt;
  } catch (const Undefined&) {
    return std::nullopt;
  }
}

bool Comparer::equal_inequalities(const Node& gold, const Node& answer) {
  const auto gold_region = region(gold), answer_region = region(answer);
  if (gold_region && answer_region) return equal_regions(*gold_region, *answer_region);
  if (gold.args.size() != answer.args.size()) return false;
  if (gold.args.size() == 2) {
    const bool turned = answer.relations[0] == mirrored(gold.relations[0]) &&
                        answer.relations[0] != gold.relations[0];
    if (!turned && answer.relations[0] != gold.relations[0]) return false;
    if (const auto ratio = ratio_of_differences(gold, answer)) {
      how_ = "as inequalities, exactly";
      return gold.relations[0] == Relation::kNotEqual || (*ratio > 0) != turned;
    }
  }
  const size_t n = gold.args.size();
  for (const bool reversed : {false, true}) {
    bool same = true;
    for (size_t i = 0; same && i + 1 < n; ++i)
      same = answer.relations[reversed ? n - 2 - i : i] ==
             (reversed ? mirrored(gold.relations[i]) : gold.relations[i]);
    for (size_t i = 0; same && i < n; ++i)
      same = equal_values(gold.arg(i), answer.arg(reversed ? n - 1 - i : i));
    if (same) return true;
  }
  return false;
}

// x = r (mod m): the same x and m, residues that differ by a multiple of m.
bool Comparer::equal_congruences(const Node& gold, const Node& answer) {
  if (gold.args.size() != 3 || answer.args.size() != 3) return false;
  if (!equal_values(gold.arg(0), answer.arg(0)) || !equal_values(gold.arg(2), answer.arg(2)))
    return false;
  const Node* left = arena_.make(Kind::kCall, {gold.args[1], gold.args[2]}, "mod");
  const Node* right = arena_.make(Kind::kCall, {answer.args[1], answer.args[2]}, "mod");
  return equal_values(*left, *right);
}

// m + n = 5 for a gold of 5; = 0 asks nothing but where it holds.
bool Comparer::states_quantity(const Node& relation, const Node& gold) {
  if (!is_equation(relation) || has_symbols(gold) || !is_asked_for(relation.arg(0))) return false;
  if (gold.is(Kind::kNumber) && gold.value == 0) return false;
  return std::all_of(relation.args.begin() + 1, relation.args.end(), [&](const Node* side) {
    return !has_symbols(*side) && equal_elements(gold, *side);
  });
}

bool Comparer::value_of_relation_equals(const Node& relation, const Node& value,
                                        bool relation_is_gold) {
  if (is_inequality(relation)) {
    const auto gold_region = region(relation), answer_region = region(value);
    return gold_region && answer_region && equal_regions(*gold_region, *answer_region);
  }
  if (!policy_.value_for_equation) return false;
  const size_t num_sides = num_exact_sides(relation);
  Assignment assigned = assignment(relation);
  if (assigned.value == relation.args.back()) assigned.value = relation.args[num_sides - 1];
  if (assigned.name && is_impossible(assigned)) return false;
  if (assigned.name)
    return relation_is_gold ? equal(*assigned.value, value) : equal(value, *assigned.value);
  if (!relation_is_gold && states_quantity(relation, value)) return true;
  // 2^5 = 32: every side has to be the value; 0 = 0 says nothing.
  if (!is_equation(relation) || has_symbols(relation) || is_repetition(relation)) return false;
  const auto sides_end = relation.args.begin() + static_cast<ptrdiff_t>(num_sides);
  return std::all_of(relation.args.begin(), sides_end, [&](const Node* side) {
    return relation_is_gold ? equal_elements(*side, value) : equal_elements(value, *side);
  });
}

}  // namespace covrl::math
