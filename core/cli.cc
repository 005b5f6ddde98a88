#include "core/cli.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <iostream>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/joined.h"

namespace covrl::cli {
namespace {

template <class Number>
Number parse_number(const std::string& text, const char* wanted) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  bool good = error == std::errc() && stop == end;
  if constexpr (std::is_floating_point_v<Number>) good = good && std::isfinite(number);
  if (!good) throw_usage("must be ", wanted, ", got '", text, "'");
  return number;
}

struct OptionImpl final : Option {
  std::string name;
  std::string help;
  std::string value_name;    // "" for a flag
  std::string default_text;  // "" when there is none worth showing
  std::function<void(const std::string&)> assign;
  bool repeatable = false;
  bool is_required = false;
  bool seen = false;
  std::vector<std::string> words;

  Option& required() override {
    is_required = true;
    return *this;
  }
  Option& choices(std::vector<std::string> allowed) override {
    words = std::move(allowed);
    return *this;
  }
};

}  // namespace

struct Parser::Impl {
  std::string command;
  std::string summary;
  std::string example;
  std::deque<OptionImpl> options;  // a deque: references handed out stay valid
  std::vector<std::string>* positional_words = nullptr;
  std::string positional_name;
  std::string positional_help;

  [[noreturn]] void fail(const std::string& message) const {
    throw_usage(command, ": ", message, " (", command, " --help shows the options)");
  }

  OptionImpl& add(const std::string& name, const std::string& value_name, const std::string& help) {
    for (const OptionImpl& option : options)
      COVRL_CHECK(option.name != name, name, " declared twice");
    OptionImpl& option = options.emplace_back();
    option.name = name;
    option.value_name = value_name;
    option.help = help;
    return option;
  }

  OptionImpl& find(const std::string& name) {
    std::vector<std::string> names = {"--help"};
    for (OptionImpl& option : options) {
      if (option.name == name) return option;
      names.push_back(option.name);
    }
    const std::string close = nearest(name, names);
    fail("unknown option '" + name + "'" +
         (close.empty() ? "; options are " + joined(names, ", ")
                        : "; did you mean '" + close + "'?"));
  }

  void assign(OptionImpl& option, const std::string& value) const {
    if (option.seen && !option.repeatable) fail(option.name + " is given twice");
    option.seen = true;
    if (!option.words.empty() && std::ranges::find(option.words, value) == option.words.end()) {
      const std::string close = nearest(value, option.words);
      fail(option.name + " must be one of " + joined(option.words, ", ") + ", got '" + value + "'" +
           (close.empty() ? "" : "; did you mean '" + close + "'?"));
    }
    try {
      option.assign(value);
    } catch (const Error& error) {
      fail(option.name + " " + error.what());
    }
  }

  // Consumes the option at args[at] and its value; returns the index of the next word.
  size_t parse_option(const std::vector<std::string>& args, size_t at) {
    const size_t equals = args[at].find('=');
    OptionImpl& option = find(args[at].substr(0, equals));
    const bool inline_value = equals != std::string::npos;
    if (option.value_name.empty()) {
      if (inline_value) fail(option.name + " takes no value");
      assign(option, "");
      return at + 1;
    }
    if (inline_value) {
      assign(option, args[at].substr(equals + 1));
      return at + 1;
    }
    if (at + 1 == args.size() || args[at + 1].starts_with("--"))
      fail(option.name + " needs a value: " + option.name + " " + option.value_name);
    assign(option, args[at + 1]);
    return at + 2;
  }

  void add_positional(const std::string& word) {
    if (positional_words == nullptr) fail("unexpected word '" + word + "'");
    positional_words->push_back(word);
  }

  void check_required() const {
    std::vector<std::string> missing;
    for (const OptionImpl& option : options)
      if (option.is_required && !option.seen)
        missing.push_back(option.name + " " + option.value_name);
    if (!missing.empty()) fail("missing " + joined(missing, ", ") + "; for example: " + example);
  }
};

Parser::Parser(std::string command, std::string summary, std::string example)
    : impl_(new Impl{
          std::move(command), std::move(summary), std::move(example), {}, nullptr, "", ""}) {}
Parser::~Parser() { delete impl_; }

Option& Parser::option(const std::string& name, std::string& value, const std::string& help) {
  OptionImpl& option = impl_->add(name, "TEXT", help);
  option.default_text = value;
  option.assign = [&value](const std::string& text) { value = text; };
  return option;
}

Option& Parser::option(const std::string& name, int64_t& value, const std::string& help) {
  OptionImpl& option = impl_->add(name, "N", help);
  option.default_text = concat(value);
  option.assign = [&value](const std::string& text) {
    value = parse_number<int64_t>(text, "a whole number");
  };
  return option;
}

Option& Parser::option(const std::string& name, double& value, const std::string& help) {
  OptionImpl& option = impl_->add(name, "X", help);
  option.default_text = concat(value);
  option.assign = [&value](const std::string& text) {
    value = parse_number<double>(text, "a number");
  };
  return option;
}

Option& Parser::option(const std::string& name, std::vector<std::string>& values,
                       const std::string& help) {
  OptionImpl& option = impl_->add(name, "TEXT", help + " (may be repeated)");
  option.repeatable = true;
  option.assign = [&values](const std::string& text) { values.push_back(text); };
  return option;
}

Option& Parser::flag(const std::string& name, bool& value, const std::string& help) {
  OptionImpl& option = impl_->add(name, "", help);
  option.assign = [&value](const std::string&) { value = true; };
  return option;
}

void Parser::positionals(std::vector<std::string>& words, const std::string& name,
                         const std::string& help) {
  impl_->positional_words = &words;
  impl_->positional_name = name;
  impl_->positional_help = help;
}

void Parser::parse(const std::vector<std::string>& args) {
  for (size_t at = 0; at < args.size();) {
    const std::string& word = args[at];
    if (word == "--help" || word == "-h") {
      std::cout << help() << std::flush;
      throw HelpShown{};
    }
    if (word == "--") {
      for (++at; at < args.size(); ++at) impl_->add_positional(args[at]);
    } else if (word.size() > 1 && word[0] == '-') {
      at = impl_->parse_option(args, at);
    } else {
      impl_->add_positional(word);
      ++at;
    }
  }
  impl_->check_required();
}

std::string Parser::help() const {
  std::vector<std::pair<std::string, std::string>> rows;
  if (impl_->positional_words != nullptr)
    rows.emplace_back(impl_->positional_name, impl_->positional_help);
  for (const OptionImpl& option : impl_->options) {
    const std::string value = option.words.empty() ? option.value_name : joined(option.words, "|");
    std::string note;
    if (option.is_required)
      note = " (required)";
    else if (!option.default_text.empty())
      note = " [" + option.default_text + "]";
    rows.emplace_back(option.name + (value.empty() ? "" : " " + value), option.help + note);
  }
  rows.emplace_back("--help", "this text");
  size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string text = impl_->command + ": " + impl_->summary + "\n\n";
  for (const auto& [left, right] : rows)
    text += "  " + left + std::string(width - left.size() + 2, ' ') + right + "\n";
  return text + "\nexample:\n  " + impl_->example + "\n";
}

}  // namespace covrl::cli
