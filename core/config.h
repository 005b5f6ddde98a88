// Configuration, declared once.
//
// A config struct gives each member its default and one describe(): the reader, the overrides, the
// annotated dump, the generated documentation and the resolved copy of a run all come from it.
//
//   struct OptimizerConfig {
//     double lr = 1e-6;
//     void describe(config::Visitor& v) {
//       v.field("lr", lr, "Learning rate of AdamW.", {0, 1});
//       v.check(lr > 0 || !warmup, "warmup", "has no effect when lr is 0");
//     }
//   };
//
// Faults in files (unknown or duplicate key, wrong type, out of range, failed check) are collected,
// each as `file:line:col: a.b: what, value seen, values allowed, nearest key`, and thrown together
// as one Error(kUsage).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace covrl::config {

// Closed interval of legal values.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

class Visitor {
 public:
  virtual ~Visitor() = default;

  virtual void field(const char* key, bool& value, const char* help) = 0;
  virtual void field(const char* key, int64_t& value, const char* help, Range range = {}) = 0;
  virtual void field(const char* key, double& value, const char* help, Range range = {}) = 0;
  virtual void field(const char* key, std::string& value, const char* help) = 0;
  virtual void field(const char* key, std::vector<std::string>& value, const char* help) = 0;
  virtual void field(const char* key, std::vector<double>& value, const char* help,
                     Range range = {}) = 0;
  // An absent value is written `null` (or left out).
  virtual void field(const char* key, std::optional<int64_t>& value, const char* help,
                     Range range = {}) = 0;
  virtual void field(const char* key, std::optional<double>& value, const char* help,
                     Range range = {}) = 0;
  // A value given as a number or as a percentage with its sign: 0.0002 or 0.02%. Stored as the
  // fraction.
  virtual void fraction(const char* key, double& value, const char* help, Range range = {0, 1}) = 0;
  // One of the listed words.
  virtual void word(const char* key, std::string& value, const char* help,
                    const std::vector<std::string>& words) = 0;
  // One or several of the listed words: `a` or [a, b].
  virtual void words(const char* key, std::vector<std::string>& value, const char* help,
                     const std::vector<std::string>& words) = 0;

  // Enumerations: `names` maps each legal word to its value.
  template <class Enum>
  void choice(const char* key, Enum& value, const char* help,
              const std::vector<std::pair<std::string, Enum>>& names) {
    std::string text;
    std::vector<std::string> words;
    for (const auto& [name, candidate] : names) {
      words.push_back(name);
      if (candidate == value) text = name;
    }
    word(key, text, help, words);
    for (const auto& [name, candidate] : names)
      if (name == text) value = candidate;
  }

  // A nested struct with its own describe().
  template <class T>
  void section(const char* key, T& value, const char* help) {
    enter(key, help);
    value.describe(*this);
    leave();
  }

  // Cross-field rule, beside the fields it is about. `key` is where the fault is reported; the
  // message says the remedy.
  virtual void check(bool holds, const char* key, const std::string& message) = 0;
  // True when the user wrote `key` (in a file or an override): for knobs that would have no effect.
  virtual bool given(const char* key) const = 0;
  // Keys that the user wrote in the current section, in order: for sections that the user names.
  virtual std::vector<std::string> given_keys() const { return {}; }
  // Where the user wrote `key` last, `file:line:col`; "" for a key that is not given.
  virtual std::string place(const char*) const { return ""; }

 protected:
  virtual void enter(const char* key, const char* help) = 0;
  virtual void leave() = 0;
};

// What a run is configured from: files left to right, then overrides `a.b=v` left to right.
struct Sources {
  std::vector<std::string> files;
  std::vector<std::string> overrides;
};

// Something that calls describe() of the root struct: [&](config::Visitor& v) {
// run_config.describe(v); }
using Describe = std::function<void(Visitor&)>;

// Reads into the described struct (its defaults stay where nothing is given). Throws Error(kUsage)
// with all faults.
void load(const Sources& sources, const Describe& describe);

// YAML of every key with its value; kHelp adds help text and range as a comment above each.
enum class Comments { kNone, kHelp };
std::string dump(const Describe& describe, Comments comments);

// Markdown: every key with default, range and help, a table a section.
std::string document(const Describe& describe);

}  // namespace covrl::config
