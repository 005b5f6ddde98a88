// What an answer says, as a tree.
#pragma once

#include <gmpxx.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace covrl::math {

enum class NodeKind {
  // Values.
  kNumber,     // value; of a decimal literal also digits and decimals
  kSymbol,     // text: x, x_1, \alpha, y'
  kConstant,   // text: pi, e, i, infty, emptyset, reals
  kAdd,        // args
  kMultiply,   // args
  kNegate,     // args[0]
  kDivide,     // args[0] / args[1]
  kPower,      // args[0] ^ args[1]
  kRoot,       // args[1]-th root of args[0]
  kCall,       // text(args): sin, ln, factorial, binom, abs, floor, ...; "f" for any other letter
  kPlusMinus,  // args[0] with both signs; text "-" for \mp, the other sign first
  kPercent,    // args[0] percent
  kBased,      // text: digits; args[0]: the base
  kQuantity,   // args[0]; text: its unit
  // Structures.
  kTuple,         // args between open and close: a point, vector, interval or grouping of several
  kList,          // args; text: ",", "and" or "or"
  kSet,           // args
  kUnion,         // args
  kIntersection,  // args
  kDifference,    // args[0] without args[1]
  kMatrix,        // args, row by row; columns
  kRelation,      // args[0] ops[0] args[1] ops[1] ...
  kRatio,         // args: 3 : 5 : 7
  kTime,          // args: hours, minutes; text: "am", "pm" or empty
  kText,          // text, in lower case without spaces
  kOpaque,        // text: what does not parse
};

// Of kRelation.
enum class Relation {
  kEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kNotEqual,
  kIn,
  kCongruent
};

struct Node {
  NodeKind kind = NodeKind::kOpaque;
  std::vector<const Node*> args = {};
  std::string text = {};
  mpq_class value = {};
  int digits = 0;    // significant, of a literal with a point or exponent
  int decimals = 0;  // after the point
  int columns = 0;
  char open = 0, close = 0;
  std::vector<Relation> relations = {};

  bool is(NodeKind k) const { return kind == k; }
  bool is(NodeKind k, std::string_view t) const { return kind == k && text == t; }
  const Node& arg(size_t i) const { return *args[i]; }
};

// Owns the nodes of one verification.
class Arena {
 public:
  const Node* add(Node node) {
    nodes_.push_back(std::move(node));
    return &nodes_.back();
  }
  const Node* number(mpq_class value) {
    return add({.kind = NodeKind::kNumber, .value = std::move(value)});
  }
  const Node* make(NodeKind kind, std::vector<const Node*> args, std::string text = {}) {
    return add({.kind = kind, .args = std::move(args), .text = std::move(text)});
  }

 private:
  std::deque<Node> nodes_;
};

// Fully bracketed, the same for the same tree; at most about `limit` characters.
std::string to_text(const Node& node, size_t limit = 100'000);

// True when a symbol, or a letter applied to something, occurs.
bool has_symbols(const Node& node);

}  // namespace covrl::math
