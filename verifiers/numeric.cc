#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "verifiers/extract.h"
#include "verifiers/plain_unit.h"
#include "verifiers/text.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"
#include "verifiers/vocabulary.h"

namespace covrl {
namespace {

// Takes `word` off the front of the text.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Without "$", "{,}", "\!", and commas that separate thousands.
std::string undecorated(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (take(text, "$") || take(text, "{,}") || take(text, "\\!") || take(text, "\\$")) continue;
    if (take(text, "\xE2\x88\x92")) {  // the minus sign U+2212
      plain += '-';
      continue;
    }
    const bool in_number = !plain.empty() && is_digit(plain.back());
    const bool group = text.size() >= 4 && text[0] == ',' && is_digit(text[1]) &&
                       is_digit(text[2]) && is_digit(text[3]) &&
                       (text.size() == 4 || !is_digit(text[4]));
    if (!(in_number && group)) plain += text[0];
    text.remove_prefix(1);
  }
  return std::string(trimmed(plain));
}

// Digits, point and exponent at the front of the text.
std::optional<double> take_decimal(std::string_view& text) {
  double sign = 1;
  if (take(text, "-")) {
    sign = -1;
  } else {
    take(text, "+");
  }
  text = text.substr(std::min(text.size(), text.find_first_not_of(' ')));
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.')) return std::nullopt;
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return sign * value;
}

// "x 10^5", "\times 10^{-3}": the power; 0 where there is none.
int take_power_of_ten(std::string_view& text) {
  std::string_view rest = trimmed(text);
  if (!(take(rest, "\\times") || take(rest, "\\cdot") || take(rest, "\xC3\x97") ||
        take(rest, "x") || take(rest, "*")))
    return 0;
  rest = trimmed(rest);
  if (!take(rest, "10^")) return 0;
  const bool braced = take(rest, "{");
  int power = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), power);
  if (error != std::errc()) return 0;
  rest.remove_prefix(static_cast<size_t>(stop - rest.data()));
  if (braced && !take(rest, "}")) return 0;
  text = rest;
  return power;
}

std::optional<double> take_number(std::string_view& text) {
  std::optional<double> value = take_decimal(text);
  if (value) *value *= std::pow(10.0, take_power_of_ten(text));
  return value;
}

// \frac{a}{b}, with its sign.
std::optional<double> take_fraction(std::string_view& text) {
  std::string_view rest = text;
  const double sign = take(rest, "-") ? -1 : 1;
  if (!(take(rest, "\\frac{") || take(rest, "\\dfrac{") || take(rest, "\\tfrac{")))
    return std::nullopt;
  const std::optional<double> above = take_number(rest);
  if (!above || !take(rest, "}{")) return std::nullopt;
  const std::optional<double> below = take_number(rest);
  if (!below || !take(rest, "}")) return std::nullopt;
  text = rest;
  return sign * *above / *below;
}

// "x", "v_{max}", "\\theta", "f(2)", "\\text{Area}", or nothing: what may stand before "=".
bool is_name(std::string_view text) {
  text = trimmed(text, " \t\r\n\f\v$");
  if (text.empty()) return true;
  const auto take_letters = [&] {
    const size_t size =
        static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_letter) - text.begin());
    const std::string_view letters = text.substr(0, size);
    text.remove_prefix(size);
    return letters;
  };
  if (take(text, "\\text{") || take(text, "\\mathrm{")) {
    do {
      if (const std::string_view word = take_letters(); !math::is_plain_word(word)) return false;
    } while (take(text, " "));
    if (!take(text, "}")) return false;
  } else if (take(text, "\\")) {
    if (!math::is_greek_letter(take_letters())) return false;
  } else if (const std::string_view word = take_letters();
             word.empty() || !math::is_plain_word(word)) {
    return false;
  }
  if (take(text, "_")) {
    const size_t end = text.starts_with('{') ? text.find('}') : 0;
    if (text.empty() || end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return text.empty() || (text.starts_with('(') && text.find(')') == text.size() - 1);
}

// One number, and after it at most a unit. "5%" is 0.05; "x = 5" is 5.
std::optional<double> parse(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals != std::string_view::npos && !is_name(text.substr(0, equals))) return std::nullopt;
  const std::string plain = undecorated(text.substr(equals + 1));
  std::string_view rest = plain;
  std::optional<double> value = take_fraction(rest);
  if (!value) {
    value = take_number(rest);
    if (value && take(rest, "/")) {
      const std::optional<double> below = take_number(rest);
      value = below ? std::optional<double>(*value / *below) : std::nullopt;
    }
  }
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const NumberTail tail = number_tail(rest);
  if (tail == NumberTail::kOther) return std::nullopt;
  return tail == NumberTail::kPercent ? *value / 100 : *value;
}

// A number within a tolerance of the gold number.
class NumericVerifier final : public Verifier {
 public:
  explicit NumericVerifier(const NumericOptions& options) : options_(options) {}
  std::string name() const override { return "numeric"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] { return judged(request); });
  }

 private:
  Verdict judged(const VerifyRequest& request) const {
    const std::optional<double> gold = parse(request.gold);
    if (!gold)
      return {Outcome::kFailed, 0, "", 0,
              concat("the gold answer '", request.gold, "' is not a number")};
    Verdict verdict{Outcome::kUnparsed, 0, ""};
    Extraction found = extract_answer(request.response);
    const std::optional<double> value = parse(found.answer);
    if (!value) return verdict;
    const double bound = std::max(options_.abs_tol, options_.rel_tol * std::abs(*gold));
    if (std::abs(*value - *gold) <= bound) {
      verdict.outcome = Outcome::kCorrect;
      verdict.score = 1;
    } else if (found.source == AnswerSource::kLoose) {
      return verdict;  // not stated to be the answer, and not the answer
    } else {
      verdict.outcome = Outcome::kWrong;
    }
    verdict.extracted = std::move(found.answer);
    return verdict;
  }

  NumericOptions options_;
};

}  // namespace

std::unique_ptr<Verifier> make_numeric_verifier(const VerifierOptions& options) {
  return std::make_unique<NumericVerifier>(options.numeric);
}

}  // namespace covrl
