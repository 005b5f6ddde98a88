#include "verifiers/expression.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace covrl::math {

namespace {

const char* relation_sign(Relation relation) {
  constexpr const char* kSigns[] = {" = ", " < ", " <= ", " > ", " >= ", " != ", " in ", " == "};
  return kSigns[static_cast<size_t>(relation)];
}

// What stands around and between the arguments.
struct Form {
  const char* open;
  const char* between;
  const char* close;
};

// Of kinds that print the same whatever their text; nullptr for the others.
const Form* form_of(NodeKind kind) {
  static const std::map<NodeKind, Form> forms = {
      {NodeKind::kAdd, {"(", " + ", ")"}},
      {NodeKind::kMultiply, {"(", "*", ")"}},
      {NodeKind::kDivide, {"(", "/", ")"}},
      {NodeKind::kPower, {"(", "^", ")"}},
      {NodeKind::kNegate, {"-", "", ""}},
      {NodeKind::kRoot, {"root(", ", ", ")"}},
      {NodeKind::kPercent, {"", "", "%"}},
      {NodeKind::kSet, {"{", ", ", "}"}},
      {NodeKind::kUnion, {"(", " union ", ")"}},
      {NodeKind::kIntersection, {"(", " intersection ", ")"}},
      {NodeKind::kDifference, {"(", " without ", ")"}},
      {NodeKind::kRatio, {"", ":", ""}}};
  const auto found = forms.find(kind);
  return found == forms.end() ? nullptr : &found->second;
}

class Printer {
 public:
  explicit Printer(size_t limit) : limit_(limit) {}

  void print(const Node& node) {
    if (out_.size() > limit_) return;
    if (const Form* form = form_of(node.kind))
      return joined(node, form->open, form->between, form->close);
    switch (node.kind) {
      case NodeKind::kNumber:
        return number(node);
      case NodeKind::kPlusMinus:
        return joined(node, node.text == "-" ? "-+" : "+-", "", "");
      case NodeKind::kCall:
        return joined(node, node.text + "(", ", ", ")");
      case NodeKind::kBased:
        return joined(node, node.text + "_", "", "");
      case NodeKind::kQuantity:
        return joined(node, "", "", " [" + node.text + "]");
      case NodeKind::kTuple:
        return joined(node, std::string(1, node.open), ", ", std::string(1, node.close));
      case NodeKind::kList:
        return joined(node, "", node.text == "or" ? " or " : ", ", "");
      case NodeKind::kTime:
        return joined(node, "", ":", node.text);
      case NodeKind::kMatrix:
        return matrix(node);
      case NodeKind::kRelation:
        return relation(node);
      case NodeKind::kText:
        out_ += '"' + node.text.substr(0, limit_) + '"';
        return;
      case NodeKind::kOpaque:
        out_ += '<' + node.text.substr(0, limit_) + '>';
        return;
      default:
        out_ += node.text;
    }
  }

  std::string take() && { return std::move(out_); }

 private:
  void number(const Node& node) {
    if (mpz_sizeinbase(node.value.get_num_mpz_t(), 10) > limit_) {
      out_ += concat("<", mpz_sizeinbase(node.value.get_num_mpz_t(), 10), " digits>");
      return;
    }
    const std::string text = node.value.get_str();
    out_ += text.find_first_of("/-") == std::string::npos ? text : "(" + text + ")";
  }

  void joined(const Node& node, const std::string& open, const char* between,
              const std::string& close) {
    out_ += open;
    for (size_t i = 0; i < node.args.size(); ++i) {
      if (i > 0) out_ += between;
      print(node.arg(i));
    }
    out_ += close;
  }

  void matrix(const Node& node) {
    out_ += "[";
    for (size_t i = 0; i < node.args.size(); ++i) {
      if (i > 0) out_ += i % static_cast<size_t>(node.columns) == 0 ? "; " : ", ";
      print(node.arg(i));
    }
    out_ += "]";
  }

  void relation(const Node& node) {
    for (size_t i = 0; i < node.args.size(); ++i) {
      if (i > 0) out_ += relation_sign(node.relations[i - 1]);
      print(node.arg(i));
    }
  }

  size_t limit_;
  std::string out_;
};

}  // namespace

std::string to_text(const Node& node, size_t limit) {
  Printer printer(limit);
  printer.print(node);
  return std::move(printer).take();
}

bool has_symbols(const Node& node) {
  return node.is(NodeKind::kSymbol) || (node.is(NodeKind::kCall) && node.text.size() == 1) ||
         std::any_of(node.args.begin(), node.args.end(),
                     [](const Node* arg) { return has_symbols(*arg); });
}

}  // namespace covrl::math
