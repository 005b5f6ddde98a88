#include "verifiers/asked_for.h"

#include <algorithm>
#include <set>
#include <string>

namespace covrl::math {

namespace {

using Kind = NodeKind;

void add_symbols(const Node& node, std::set<std::string>& symbols) {
  if (node.is(Kind::kSymbol)) symbols.insert(node.text);
  for (const Node* arg : node.args) add_symbols(*arg, symbols);
}

bool has_several_symbols(const Node& node) {
  std::set<std::string> symbols;
  add_symbols(node, symbols);
  return symbols.size() > 1;
}

bool is_function_value(const Node& node) {
  return node.is(Kind::kCall) && node.text != "abs" && node.text != "factorial";
}

// mn, AB; longer ones may be words: "not".
bool is_product_of_two(const Node& node) {
  return node.is(Kind::kMultiply) && node.args.size() == 2 && node.arg(0).is(Kind::kSymbol) &&
         node.arg(1).is(Kind::kSymbol);
}

// P(X = 1), P(A \cap B): read as products.
bool is_of_event(const Node& node) {
  return node.is(Kind::kMultiply) && node.args.size() == 2 && node.arg(0).is(Kind::kSymbol) &&
         (node.arg(1).is(Kind::kRelation) || node.arg(1).is(Kind::kUnion) ||
          node.arg(1).is(Kind::kIntersection));
}

// Of a sum: m, 100m, a^2, AB, f(1), |a|.
bool is_term(const Node& node) {
  if (node.is(Kind::kNegate)) return is_term(node.arg(0));
  if (node.is(Kind::kPower)) return node.arg(0).is(Kind::kSymbol) && node.arg(1).is(Kind::kNumber);
  if (node.is(Kind::kMultiply) && node.args.size() == 2 && node.arg(0).is(Kind::kNumber)) {
    const mpq_class& scale = node.arg(0).value;
    return (scale == 10 || scale == 100 || scale == 1000) && is_term(node.arg(1));
  }
  return node.is(Kind::kSymbol) || node.is(Kind::kCall) || is_product_of_two(node);
}

}  // namespace

bool is_asked_for(const Node& quantity) {
  const auto& args = quantity.args;
  switch (quantity.kind) {
    case Kind::kAdd:
      return std::all_of(args.begin(), args.end(), [](const Node* arg) { return is_term(*arg); }) &&
             (has_several_symbols(quantity) ||
              std::all_of(args.begin(), args.end(),
                          [](const Node* arg) { return is_function_value(*arg); }));
    case Kind::kMultiply:
      return is_of_event(quantity) ||
             (is_product_of_two(quantity) && has_several_symbols(quantity));
    case Kind::kDivide:
      return args[0]->is(Kind::kSymbol) && args[1]->is(Kind::kSymbol) &&
             has_several_symbols(quantity);
    default:
      return is_function_value(quantity);
  }
}

}  // namespace covrl::math
