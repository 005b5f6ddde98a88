#include "verifiers/lexer.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "verifiers/lexer_text.h"
#include "verifiers/number_text.h"
#include "verifiers/text.h"
#include "verifiers/vocabulary.h"
#include "verifiers/words.h"

namespace covrl::math {

namespace {

bool is_gap(char c) { return is_space(c) || c == '~'; }

// Mathematics: runs of letters are variables. Words: they are text.
enum class Mode { kMath, kWords };

class Lexer {
 public:
  Lexer(std::string_view text, Commas commas) : commas_(commas), text_(text) {}

  std::vector<Token> run() {
    lex(text_, Mode::kMath);
    push({TokenKind::kEnd, ""});
    return std::move(tokens_);
  }

 private:
  // 7{:}15: braces about a sign only take its spacing away.
  bool closes_lone_sign() const {
    const size_t n = tokens_.size();
    return n > 1 && tokens_[n - 2].sign('{') && tokens_[n - 1].sign(':');
  }

  void push(Token token) {
    if (token.sign('=') && !tokens_.empty() && tokens_.back().is(TokenKind::kCommand, "not")) {
      tokens_.back().text = "ne";  // \not=
      return;
    }
    if (token.sign('}') && closes_lone_sign()) {
      tokens_.erase(tokens_.end() - 2);
      return;
    }
    token.after_space = space_;
    space_ = false;
    if (token.sign('(') || token.sign('[') || token.is(TokenKind::kCommand, "lbrace")) ++depth_;
    if (token.sign(')') || token.sign(']') || token.is(TokenKind::kCommand, "rbrace")) --depth_;
    tokens_.push_back(std::move(token));
  }
  void sign(char c) { push({TokenKind::kSign, std::string(1, c)}); }
  void command(std::string_view name) { push({TokenKind::kCommand, std::string(name)}); }

  void lex(std::string_view text, Mode mode, bool is_unit = false) {
    const bool outer =
        std::exchange(in_phrase_, is_unit || (mode == Mode::kWords && is_phrase(text)));
    for (size_t at = 0; at < text.size();) at = step(text, at, mode);
    in_phrase_ = outer;
  }

  size_t step(std::string_view text, size_t at, Mode mode) {
    const char c = text[at];
    if (is_gap(c)) return skip_space(at);
    if (starts_number(text, at)) return number(text, at);
    if (c == '\\') return backslash(text, at);
    if (is_letter(c)) return letters(text, at, mode);
    if (static_cast<unsigned char>(c) >= 0x80) return unicode(text, at);
    if (c == '$' || c == '"' || c == '`') return skip_space(at);
    if (c == '*' && text.substr(at, 2) == "**") return stars(text, at);
    if (text.substr(at, 2) == "<=" || text.substr(at, 2) == ">=" || text.substr(at, 2) == "!=") {
      command(c == '<' ? "le" : c == '>' ? "ge" : "ne");
      return at + 2;
    }
    if (c == '=' && text.substr(at, 2) == "==") return at + 1;
    if (text.substr(at, 3) == "+/-") {
      sign('~');
      return at + 3;
    }
    if (text.substr(at, 3) == "{}^" || text.substr(at, 3) == "{}_") return at + 2;  // {}^\circ
    if (text.substr(at).starts_with("{}") &&
        text.find_first_not_of(" \t\n\r", at + 2) == std::string_view::npos)
      return text.size();  // 7{}
    if (c == '.') return dot(text, at);
    if (std::string_view("+-*/^_!'%=<>,;:|&()[]{}").find(c) != std::string_view::npos)
      push({.kind = TokenKind::kSign, .text = std::string(1, c), .is_star = c == '*'});
    else
      push({TokenKind::kUnknown, std::string(1, c)});
    return at + 1;
  }

  size_t skip_space(size_t at) {
    space_ = true;
    return at + 1;
  }

  // `**` is a power between operands (x**2), else emphasis.
  size_t stars(std::string_view text, size_t at) {
    const bool operand_before = !tokens_.empty() && !space_ && at > 0 && text[at - 1] != '*';
    const bool operand_after =
        at + 2 < text.size() &&
        (is_digit(text[at + 2]) || text[at + 2] == '(' || is_letter(text[at + 2]));
    if (operand_before && operand_after) sign('^');
    return at + 2;
  }

  // A full stop says nothing; an ellipsis does.
  size_t dot(std::string_view text, size_t at) {
    size_t end = at;
    while (end < text.size() && text[end] == '.') ++end;
    if (end - at > 1) command("dots");
    return end;
  }

  size_t unicode(std::string_view text, size_t at) {
    const CodePoint c = code_point(text, at);
    const UnicodeMeaning meaning = unicode_meaning(c.value);
    switch (meaning.kind) {
      case UnicodeMeaning::kSign:
        sign(meaning.meant[0]);
        break;
      case UnicodeMeaning::kCommand:
        command(meaning.meant);
        break;
      case UnicodeMeaning::kSpace:
        space_ = true;
        break;
      case UnicodeMeaning::kSuperscript:
      case UnicodeMeaning::kSubscript:
        return script(text, at, meaning.kind);
      case UnicodeMeaning::kFraction:  // two digits: \frac12
        command("frac");
        push({TokenKind::kNumber, std::string(meaning.meant.substr(0, 1))});
        push({TokenKind::kNumber, std::string(meaning.meant.substr(1))});
        break;
      case UnicodeMeaning::kLetter:
        return foreign_word(text, at);
      case UnicodeMeaning::kUnknown:
        push({TokenKind::kUnknown, std::string(text.substr(at, c.length))});
    }
    return at + c.length;
  }

  size_t script(std::string_view text, size_t at, UnicodeMeaning::Kind kind) {
    std::string digits;
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80) {
      const CodePoint c = code_point(text, at);
      const UnicodeMeaning meaning = unicode_meaning(c.value);
      if (meaning.kind != kind) break;
      digits += meaning.meant;
      at += c.length;
    }
    sign(kind == UnicodeMeaning::kSubscript ? '_' : '^');
    sign('{');
    lex(digits, Mode::kMath);
    sign('}');
    return at;
  }

  size_t foreign_word(std::string_view text, size_t at) {
    const size_t begin = at;
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80) {
      const CodePoint c = code_point(text, at);
      if (unicode_meaning(c.value).kind != UnicodeMeaning::kLetter) break;
      at += c.length;
    }
    push({TokenKind::kText, std::string(text.substr(begin, at - begin))});
    return at;
  }

  // Behind _ or ^ without a brace: \log_2 128 is no logarithm to the base 2128.
  bool is_in_script() const {
    auto last = tokens_.rbegin();
    while (last != tokens_.rend() && (last->sign('-') || last->sign('+'))) ++last;
    return last != tokens_.rend() && (last->sign('_') || last->sign('^'));
  }

  size_t number(std::string_view text, size_t at) {
    const bool in_list = !tokens_.empty() && tokens_.back().sign(',') && !space_;  // 27,54,108
    const bool commas = commas_ == Commas::kThousands && depth_ == 0 && !in_list;
    Separators separators{.commas = commas, .spaces = depth_ == 0};
    if (is_in_script()) separators = {.sure = false, .commas = false, .spaces = false};
    NumberText read = read_number(text, at, separators);
    push({read.repeat.empty() ? TokenKind::kNumber : TokenKind::kRepeating, std::move(read.text),
          std::move(read.repeat), false, read.may_be_list});
    return read.end;
  }

  size_t backslash(std::string_view text, size_t at) {
    if (at + 1 == text.size()) return at + 1;
    const char next = text[at + 1];
    if (!is_letter(next)) return escaped(text, at, next);
    size_t end = letters_end(text, at + 1);
    const std::string_view name = text.substr(at + 1, end - at - 1);
    switch (command_use(name)) {
      case CommandUse::kDrop:
        if ((name == "left" || name == "right") && end < text.size() && text[end] == '.') ++end;
        return end;
      case CommandUse::kSpace:
        space_ = true;
        return end;
      case CommandUse::kFont:
        return end;
      case CommandUse::kSkip:
        return argument_end(text, end);
      case CommandUse::kText:
      case CommandUse::kRoman:
        return words(text, end, command_use(name));
      case CommandUse::kAccent:
      case CommandUse::kKeep:
        break;
    }
    if (name == "begin" || name == "end") return environment(text, end, name);
    if (name == "AA" || (in_phrase_ && (name == "Omega" || name == "mu"))) return word(name, end);
    return named(text, at, end);
  }

  // A command that says something, named from behind its backslash to `end`.
  size_t named(std::string_view text, size_t at, size_t end) {
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (const char c = sign_of_command(name)) {
      sign(c);
    } else if (name == "lor" || name == "land" || name == "vee" || name == "wedge") {
      push({TokenKind::kWord, name == "lor" || name == "vee" ? "or" : "and"});
    } else if (name == "imath") {
      push({TokenKind::kLetter, "i"});
    } else if (name == "cr") {
      push({TokenKind::kRowEnd, "\\\\"});
    } else if (name.starts_with("quad") && name.size() > 4) {  // \quadx
      space_ = true;
      return at + 5;
    } else {
      command(usual_name(name));
    }
    return end;
  }

  size_t escaped(std::string_view text, size_t at, char next) {
    switch (next) {
      case '{':
        command("lbrace");
        break;
      case '}':
        command("rbrace");
        break;
      case '\\':
        push({TokenKind::kRowEnd, "\\\\"});
        return at + 2 + gap_length(text.substr(at + 2));
      case '%':
        sign('%');
        break;
      case '|':
        sign('|');
        break;
      default:
        if (std::string_view(",;:!>()[]$ \t\n\r'\"/.=").find(next) != std::string_view::npos)
          space_ = true;
        else
          push({TokenKind::kUnknown, std::string(1, next)});
    }
    return at + 2;
  }

  // \begin{pmatrix}: one token "begin:pmatrix", the columns of an array dropped.
  size_t environment(std::string_view text, size_t at, std::string_view name) {
    const size_t open = text.find('{', at), close = text.find('}', at);
    if (open != at || close == std::string_view::npos || close - open > 20) {
      command(name);
      return at;
    }
    const std::string_view environment = text.substr(open + 1, close - open - 1);
    if (is_display(environment)) return close + 1;
    command(std::string(name) + ":" + std::string(environment));
    at = close + 1;
    if (name == "begin" && environment == "array" && at < text.size() && text[at] == '{') {
      const size_t columns_end = text.find('}', at);
      if (columns_end != std::string_view::npos) at = columns_end + 1;
    }
    return at;
  }

  // What \text{} or \mathrm{} hold.
  size_t words(std::string_view text, size_t at, CommandUse use) {
    while (at < text.size() && is_gap(text[at])) ++at;
    if (at == text.size()) return at;
    if (text[at] != '{') {  // \text A
      if (is_letter(text[at])) push({TokenKind::kLetter, std::string(1, text[at])});
      return is_letter(text[at]) ? at + 1 : at;
    }
    size_t end = at + 1;
    for (int depth = 1; end < text.size(); ++end) {
      if (text[end] == '{') ++depth;
      if (text[end] == '}' && --depth == 0) break;
      if (text[end] == '\\') ++end;
    }
    end = std::min(end, text.size());
    const std::string_view inside = text.substr(at + 1, end - at - 1);
    const std::string_view content = trimmed(inside, " \t\n\r~");
    if (is_currency(trimmed(content, ". ")) && is_before_number(text, end)) return end + 1;
    const bool after_number =
        !tokens_.empty() &&
        (tokens_.back().kind == TokenKind::kNumber || tokens_.back().sign('}') ||
         tokens_.back().sign('@') || tokens_.back().kind == TokenKind::kText ||
         tokens_.back().sign('/') || joins_unit());
    const bool is_variable = std::string_view("iexyzdn").find(content.empty() ? ' ' : content[0]) !=
                             std::string_view::npos;
    if (content.size() == 1 && is_letter(content[0])) {
      const bool unit =
          after_number && content != "i" &&
          !(use == CommandUse::kRoman && content.size() == inside.size() && is_variable);
      push({unit ? TokenKind::kText : TokenKind::kLetter, std::string(content)});
    } else {
      if (++nested_ > 8) throw OverBudget{"too deep text", true};
      space_ |= !inside.empty() && is_gap(inside.front());
      lex(inside, Mode::kWords, after_number && is_unit_formula(content));
      --nested_;
    }
    return std::min(end + 1, text.size());
  }

  // N \cdot m
  bool joins_unit() const {
    const size_t n = tokens_.size();
    return n > 1 && tokens_[n - 1].sign('*') && tokens_[n - 2].kind == TokenKind::kText;
  }

  bool follows_number() const {
    return !tokens_.empty() && tokens_.back().kind == TokenKind::kNumber;
  }

  // A number or a part of its unit.
  bool follows_value() const {
    return follows_number() ||
           (!tokens_.empty() && (tokens_.back().sign('/') || tokens_.back().sign('}') ||
                                 tokens_.back().kind == TokenKind::kText));
  }

  bool is_whole_answer(std::string_view run) const {
    return tokens_.empty() && trimmed(text_, " \t\n\r$.").size() == run.size();
  }

  // Answer: 5
  bool is_label(std::string_view text, size_t at, size_t end) const {
    constexpr size_t kShortest = 3;
    return tokens_.empty() && end - at >= kShortest && text.substr(end).starts_with(':') &&
           text[end - 1] >= 'a';
  }

  size_t word(std::string_view run, size_t end) {
    push({TokenKind::kText, std::string(run)});
    return end;
  }

  size_t letters(std::string_view text, size_t at, Mode mode) {
    const size_t end = letters_end(text, at);
    const std::string_view run = text.substr(at, end - at);
    if (const size_t length = follows_number() ? half_of_day_length(text.substr(at)) : 0) {
      push({TokenKind::kText, lower_case(text.substr(at, 1)) + "m"});
      return at + length;
    }
    if (between_numbers(text, run, end, mode)) return end;
    if (run == "and" || run == "or" || run == "OR" || run == "AND") {
      push({TokenKind::kWord, std::string(run)});
      return end;
    }
    if (run == "np" && end < text.size() && text[end] == '.') return end + 1;  // Python
    const std::string lower = lower_case(run);
    if (is_whole_answer(run) && is_answer_word(lower)) return word(run, end);
    if (is_label(text, at, end)) return word(run, end);
    if (is_month(run) && (follows_number() || is_before_number(text, end))) return word(run, end);
    if (const size_t percent = percent_end(text, at)) {
      sign('%');
      return percent;
    }
    const bool is_time = (run == "min" || run == "sec") && mode == Mode::kWords && follows_value();
    if (is_plain_command(run) && !is_time) {
      command(usual_name(run));
      return end;
    }
    if (mode == Mode::kWords && run.size() > 1) return word(run, end);
    const bool value_before = !tokens_.empty() && tokens_.back().kind != TokenKind::kLetter;
    if (run.size() > 1 && value_before && (is_unit_word(lower) || power_of_ten(lower) > 0))
      return word(run, end);
    if (run.size() > 2 && run.starts_with("sqrt")) {
      command("sqrt");
      return at + 4;
    }
    if (in_phrase_ && run.size() == 1) return word(run, end);
    for (const char c : run) push({TokenKind::kLetter, std::string(1, c)});
    return end;
  }

  // What stands between numbers or before one: x of 4.5 x 10^3, "to" of 3 to 5, USD of USD 5.
  bool between_numbers(std::string_view text, std::string_view run, size_t end, Mode mode) {
    if (is_currency(run) && is_before_number(text, end)) return true;
    const bool is_ratio =
        run == "to" && follows_number() && (mode == Mode::kWords || is_before_number(text, end));
    const bool is_product = run == "x" && is_times(text, end);
    if (is_ratio || is_product) sign(is_ratio ? ':' : '*');
    return is_ratio || is_product;
  }

  // 4.5 x 10^3
  bool is_times(std::string_view text, size_t at) const {
    const std::string_view rest = trimmed(text.substr(at), " ");
    return space_ && follows_number() && at < text.size() && text[at] == ' ' &&
           rest.starts_with("10^");
  }

  Commas commas_;
  std::string_view text_;
  std::vector<Token> tokens_;
  bool space_ = false;
  bool in_phrase_ = false;  // the words that are being read are no names of variables
  int nested_ = 0;          // \text within \text
  int depth_ = 0;           // brackets open: inside them commas separate elements
};

}  // namespace

std::vector<Token> tokens_of(std::string_view answer, Commas commas) {
  if (answer.find('\xEF') == std::string_view::npos) return Lexer(answer, commas).run();
  return Lexer(half_width(answer), commas).run();
}

}  // namespace covrl::math
