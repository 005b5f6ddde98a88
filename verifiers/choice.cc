// Multiple choice, as in ARC: which option the response states last. Options are the letters A to J
// or, where the gold answer is a digit, 1 to 9. Their texts, where the row has them, are taken from
// extra_info.choices: ["...", ...] or {"label": ["A", ...], "text": ["...", ...]}.
#include <algorithm>
#include <vector>

#include "core/jsonl.h"
#include "verifiers/extract.h"
#include "verifiers/text.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"
#include "verifiers/vocabulary.h"
#include "verifiers/work_budget.h"

namespace covrl {
namespace {

struct Option {
  std::string label;
  std::string text;  // lower case
};

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const Json& item : list)
    texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return texts;
}

// Lower case, without decoration around it: markup, quotes, a full stop. However many wrappers a
// response nests, they cost no stack.
std::string comparable(std::string_view text) {
  for (bool bare = false; !bare;) {
    bare = true;
    text = trimmed(text, " \t\r\n\f\v*$_\"'.");
    const size_t opening = math::text_opening_length(text);
    if (opening == 0 || !text.ends_with('}')) continue;
    text = text.substr(opening, text.size() - opening - 1);
    bare = false;
  }
  return lower_case(text);
}

bool is_label(char c, bool digits) {
  return digits ? c >= '1' && c <= '9' : (c >= 'A' && c <= 'J') || (c >= 'a' && c <= 'j');
}

bool is_digit_label(std::string_view text) {
  return text.size() == 1 && is_label(text[0], /*digits=*/true);
}

// The label of an option of a list without labels.
char label_at(size_t index, bool digits) {
  return static_cast<char>((digits ? '1' : 'a') + static_cast<char>(index));
}

// A list without labels is lettered, or numbered where the gold answer is a digit and no text.
std::vector<Option> options_of(std::string_view extra_info, std::string_view gold) {
  std::vector<Option> options;
  if (extra_info.empty()) return options;
  const Json extra = Json::parse(extra_info, nullptr, /*allow_exceptions=*/false);
  if (!extra.is_object() || !extra.contains("choices")) return options;
  const Json& choices = extra["choices"];
  const bool labelled = choices.is_object();
  const std::vector<std::string> texts =
                                     texts_of(labelled ? choices.value("text", Json()) : choices),
                                 labels =
                                     texts_of(labelled ? choices.value("label", Json()) : Json());
  const bool digits =
      is_digit_label(gold) && std::find(texts.begin(), texts.end(), gold) == texts.end();
  for (size_t i = 0; i < texts.size(); ++i)
    options.push_back(
        {i < labels.size() ? comparable(labels[i]) : std::string(1, label_at(i, digits)),
         comparable(texts[i])});
  return options;
}

// What the text states: an option's label in lower case, or nothing. `rest` is what stands after
// the label: "C) iron" states c, and "iron".
struct Stated {
  std::string label;
  std::string rest;
};

Stated stated_label(std::string_view answer, bool digits) {
  std::string text = comparable(answer);
  std::string_view rest = text;
  for (const std::string_view word : {"option ", "choice ", "answer "})
    if (rest.starts_with(word)) rest.remove_prefix(word.size());
  const bool open = rest.starts_with('(');
  if (open) rest.remove_prefix(1);
  if (rest.empty() || !is_label(rest[0], digits)) return {};
  std::string label(1, rest[0]);
  rest.remove_prefix(1);
  if (open && !rest.starts_with(')')) return {};
  if (rest.empty()) return {std::move(label), ""};
  if (std::string_view(").:").find(rest[0]) == std::string_view::npos) return {};
  return {std::move(label), comparable(rest.substr(1))};
}

// Where no answer is stated in words or a box: the last line, if it is an option and nothing else.
std::string last_line(std::string_view response) {
  const std::string_view text = trimmed(response);
  return std::string(trimmed(text.substr(text.rfind('\n') + 1)));
}

class ChoiceVerifier final : public Verifier {
 public:
  std::string name() const override { return "choice"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] { return judged(request); });
  }

 private:
  Verdict judged(const VerifyRequest& request) const {
    const std::string_view bare = trimmed(request.gold);
    const std::vector<Option> options = options_of(request.extra_info, bare);
    const bool digits = is_digit_label(options.empty() ? bare : options[0].label);
    const std::string gold = label_of(request.gold, options, digits);
    if (gold.empty() || !is_option(gold, options))
      return {Outcome::kFailed, 0, "", 0,
              "the gold answer '" + std::string(request.gold) + "' is not an option"};
    Extraction found = extract_answer(request.response, {.phrases = true, .loose = false});
    if (found.source == AnswerSource::kNone) found.answer = last_line(request.response);
    const std::string label = label_of(found.answer, options, digits);
    if (label.empty()) return {Outcome::kUnparsed, 0, ""};
    const bool right = label == gold;
    return {right ? Outcome::kCorrect : Outcome::kWrong, right ? 1.0 : 0.0,
            std::move(found.answer)};
  }

  // True of every label where the options are not known.
  static bool is_option(const std::string& label, const std::vector<Option>& options) {
    return options.empty() ||
           std::any_of(options.begin(), options.end(),
                       [&](const Option& option) { return option.label == label; });
  }

  // "" where the text is not an option, or names two. A label alone is that label, even where it is
  // also the text of another option: option 1 of "2", "3" is no answer "2".
  static std::string label_of(std::string_view answer, const std::vector<Option>& options,
                              bool digits) {
    if (answer.size() > WorkBudget::kMostAnswerBytes) return "";
    const Stated stated = stated_label(answer, digits);
    const bool alone = stated.rest.empty();
    if (!stated.label.empty() && alone && is_option(stated.label, options)) return stated.label;
    const std::string text = comparable(answer);
    for (const Option& option : options)
      if (option.text == text) return option.label;
    if (stated.label.empty() || alone) return stated.label;
    bool own = false, other = false;  // what stands after the label is the text of that option
    for (const Option& option : options)
      if (option.text == stated.rest) (option.label == stated.label ? own : other) = true;
    if (own) return stated.label;
    return other || !stated_label(stated.rest, digits).label.empty() ? "" : stated.label;
  }
};

}  // namespace

std::unique_ptr<Verifier> make_choice_verifier(const VerifierOptions&) {
  return std::make_unique<ChoiceVerifier>();
}

}  // namespace covrl
