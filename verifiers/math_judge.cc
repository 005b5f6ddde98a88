#include "verifiers/math_judge.h"

#include <algorithm>

#include "core/error.h"
#include "verifiers/answer_text.h"
#include "verifiers/bare_unit.h"
#include "verifiers/compare.h"
#include "verifiers/decoration.h"
#include "verifiers/extract.h"
#include "verifiers/finite_sums.h"
#include "verifiers/parser.h"
#include "verifiers/printed_choice.h"

namespace covrl {

namespace {

using math::Commas;
using math::Node;
using math::NodeKind;
using math::Token;

struct Parsed {
  std::vector<Token> tokens;
  const Node* node = nullptr;

  bool may_be_list() const {
    return std::any_of(tokens.begin(), tokens.end(),
                       [](const Token& token) { return token.may_be_list; });
  }
};

bool has_opaque(const Node& node) {
  return node.is(NodeKind::kOpaque) ||
         std::any_of(node.args.begin(), node.args.end(),
                     [](const Node* arg) { return has_opaque(*arg); });
}

bool is_words(const Node& node) {
  if (node.is(NodeKind::kText)) return true;
  return (node.is(NodeKind::kList) || node.is(NodeKind::kQuantity)) &&
         std::all_of(node.args.begin(), node.args.end(),
                     [](const Node* arg) { return is_words(*arg); });
}

// Words with numbers that form no value: \text{July 4}.
bool is_phrase(const Parsed& side) {
  const auto is_plain = [](const Token& token) {
    return token.kind == math::TokenKind::kText || token.kind == math::TokenKind::kNumber ||
           token.kind == math::TokenKind::kLetter || token.sign(',') ||
           token.kind == math::TokenKind::kEnd;
  };
  return side.node->is(NodeKind::kOpaque) && side.tokens[0].kind == math::TokenKind::kText &&
         std::all_of(side.tokens.begin(), side.tokens.end(), is_plain);
}

bool has_letter_e(const Node& node) {
  return node.is(NodeKind::kConstant, "e") ||
         std::any_of(node.args.begin(), node.args.end(),
                     [](const Node* arg) { return has_letter_e(*arg); });
}

// The exponents of numbers as letters: 6e-10 as 6e - 10.
std::vector<Token> with_letter_e(const std::vector<Token>& tokens) {
  std::vector<Token> result;
  for (const Token& token : tokens) {
    const std::string& text = token.text;
    const size_t at = token.kind == math::TokenKind::kNumber ? text.find('e') : text.npos;
    if (at == text.npos) {
      result.push_back(token);
      continue;
    }
    const bool has_sign = text[at + 1] == '-' || text[at + 1] == '+';
    result.push_back({math::TokenKind::kNumber, text.substr(0, at)});
    result.push_back({math::TokenKind::kLetter, "e"});
    if (has_sign) result.push_back({math::TokenKind::kSign, text.substr(at + 1, 1)});
    result.push_back({math::TokenKind::kNumber, text.substr(at + 1 + has_sign)});
  }
  return result;
}

// One comparison: owns the trees.
class Comparison {
 public:
  Comparison(const MathPolicy& policy, Explanation* explanation)
      : policy_(policy), explanation_(explanation) {}
  ~Comparison() {
    if (explanation_) explanation_->steps = budget_.spent();
  }
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  bool equal(std::string_view gold_text, std::string_view answer_text) {
    gold_ = {math::tokens_of(gold_text), nullptr};
    answer_ = {math::tokens_of(answer_text), nullptr};
    if (const char choice = math::choice_letter(gold_.tokens))
      if (choice == math::printed_choice(answer_text)) return said("as a choice", true);
    try {
      if (equal_in_meaning(gold_text, answer_text)) return true;
      if (!undecided_ && gold_text != answer_text) return false;
    } catch (const OverBudget&) {
      if (!same_writing()) throw;
    }
    return same_writing() && said("as they are written", true);
  }

  // Reads the gold and compares it with itself. Throws OverBudget.
  void try_gold(std::string_view gold_text) {
    gold_ = {math::tokens_of(gold_text), nullptr};
    parse(gold_);
    math::Comparer(policy_, arena_, budget_).equal(*gold_.node, *gold_.node);
  }

 private:
  bool same_writing() const {
    return math::token_key(gold_.tokens) == math::token_key(answer_.tokens);
  }

  bool equal_in_meaning(std::string_view gold_text, std::string_view answer_text) {
    parse(gold_);
    parse(answer_);
    if (explanation_) {
      explanation_->gold = to_text(*gold_.node, 400);
      explanation_->answer = to_text(*answer_.node, 400);
    }
    undecided_ = has_opaque(*gold_.node) || has_opaque(*answer_.node);
    if (is_words(*gold_.node) || is_words(*answer_.node) || is_phrase(gold_))
      return said("as text", math::text_key(gold_.tokens) == math::text_key(answer_.tokens));
    math::Comparer comparer(policy_, arena_, budget_);
    if (comparer.equal(*gold_.node, *answer_.node)) return said(comparer.how(), true);
    if (equal_as_lists(comparer, gold_text, answer_text)) return said(comparer.how(), true);
    if (equal_with_bare_unit(comparer)) return said(comparer.how(), true);
    if (equal_with_letter_e(comparer)) return said(comparer.how(), true);
    undecided_ |= comparer.undecided();
    return said(comparer.how(), false);
  }

  // 10 m/s, which without its gold could be 10 times m over s.
  bool equal_with_bare_unit(math::Comparer& comparer) {
    if (has_symbols(*gold_.node)) return false;
    Parsed again{math::with_bare_unit(answer_.tokens), nullptr};
    if (again.tokens.empty()) return false;
    parse(again);
    return comparer.equal(*gold_.node, *again.node);
  }

  // 6e-10 beside a gold of 2(3e - 5).
  bool equal_with_letter_e(math::Comparer& comparer) {
    if (!has_letter_e(*gold_.node)) return false;
    Parsed again{with_letter_e(answer_.tokens), nullptr};
    if (again.tokens.size() == answer_.tokens.size()) return false;
    parse(again);
    return comparer.equal(*gold_.node, *again.node);
  }

  void parse(Parsed& side) {
    math::remove_decoration(side.tokens);
    side.node = without_finite_sums(*parse_answer(side.tokens, arena_, budget_), arena_, budget_);
  }

  bool said(const std::string& how, bool equal) {
    if (explanation_) {
      explanation_->compared = how;
      explanation_->reason = equal ? "equal" : "not equal";
    }
    return equal;
  }

  // 123,456 against 123, 456: the commas of the one may separate elements after all.
  bool equal_as_lists(math::Comparer& comparer, std::string_view gold_text,
                      std::string_view answer_text) {
    const auto is_list = [](const Parsed& side) { return side.node->is(NodeKind::kList); };
    const bool gold_again = gold_.may_be_list() && is_list(answer_);
    const bool answer_again = answer_.may_be_list() && is_list(gold_);
    if (gold_again == answer_again) return false;
    Parsed again{tokens_of(gold_again ? gold_text : answer_text, Commas::kElements), nullptr};
    parse(again);
    return gold_again ? comparer.equal(*again.node, *answer_.node)
                      : comparer.equal(*gold_.node, *again.node);
  }

  const MathPolicy& policy_;
  Explanation* explanation_;
  math::Arena arena_;
  WorkBudget budget_;
  Parsed gold_, answer_;
  bool undecided_ = false;  // what does not parse or has no value is equal as it is written
};

const char* source_name(AnswerSource source) {
  switch (source) {
    case AnswerSource::kBox:
      return "box";
    case AnswerSource::kPhrase:
      return "phrase";
    case AnswerSource::kLoose:
      return "last formula or number";
    case AnswerSource::kNone:
      break;
  }
  return "";
}

// Whether the gold keeps within the bounds on its own.
bool is_within_bounds(std::string_view gold, const MathPolicy& policy) {
  try {
    Comparison(policy, nullptr).try_gold(gold);
    return true;
  } catch (const OverBudget&) {
    return false;
  }
}

}  // namespace

Outcome compare_answers(std::string_view gold, std::string_view answer, const MathPolicy& policy,
                        Explanation* explanation) {
  const auto ended = [&](Outcome outcome, const std::string& reason) {
    if (explanation) explanation->reason = reason;
    return outcome;
  };
  constexpr size_t kMostBytes = WorkBudget::kMostAnswerBytes;
  if (is_blank_answer(gold)) return ended(Outcome::kFailed, "the gold answer is empty");
  if (gold.size() > kMostBytes)
    return gold == answer ? ended(Outcome::kCorrect, "equal")
                          : ended(Outcome::kFailed, "too long a gold answer");
  if (answer.size() > kMostBytes) return ended(Outcome::kUnparsed, "too long an answer");
  try {
    return Comparison(policy, explanation).equal(gold, answer) ? Outcome::kCorrect
                                                               : Outcome::kWrong;
  } catch (const OverBudget& over) {
    if (!is_within_bounds(gold, policy))
      return ended(Outcome::kFailed, std::string("the gold answer: ") + over.what);
    return ended(over.in_reading ? Outcome::kUnparsed : Outcome::kWrong, over.what);
  }
}

MathJudgement judge_math(std::string_view response, std::string_view gold, const MathPolicy& policy,
                         Explanation* explanation) {
  MathJudgement judgement;
  const Extraction found =
      extract_answer(response, {.phrases = policy.phrases, .loose = policy.loose});
  if (explanation) {
    explanation->source = source_name(found.source);
    explanation->extracted = found.answer;
  }
  if (found.source == AnswerSource::kNone) {
    judgement.outcome = Outcome::kUnparsed;
    if (explanation) explanation->reason = "no answer found";
    return judgement;
  }
  judgement.outcome = compare_answers(gold_answer(gold), found.answer, policy, explanation);
  // The last number of a text that states no answer may be right, but is no answer when it is not.
  if (found.source == AnswerSource::kLoose && judgement.outcome == Outcome::kWrong)
    judgement.outcome = Outcome::kUnparsed;
  if (judgement.outcome != Outcome::kUnparsed) judgement.extracted = found.answer;
  return judgement;
}

bool answer_parses(std::string_view answer, std::string* form) {
  const std::string text = gold_answer(answer);
  if (text.size() > WorkBudget::kMostAnswerBytes) return false;
  math::Arena arena;
  WorkBudget budget;
  try {
    const Node* node = parse_answer(math::tokens_of(text), arena, budget);
    if (form) *form = to_text(*node, 400);
    return !has_opaque(*node);
  } catch (const OverBudget&) {
    return false;
  }
}

}  // namespace covrl
