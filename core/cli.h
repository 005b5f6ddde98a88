// Command lines of the subcommands: `--name value`, `--name=value`, flags, positional words, and
// `--help` with an example.
//
//   cli::Parser parser("covrl generate", "Samples completions.", "covrl generate --model DIR
//   --input prompts.jsonl"); parser.option("--model", model, "checkpoint folder").required();
//   parser.parse(args);   // throws Error(kUsage); --help prints and throws cli::HelpShown
//
// Unknown options name the nearest valid one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace covrl::cli {

struct HelpShown {};

class Option;

class Parser {
 public:
  Parser(std::string command, std::string summary, std::string example);
  ~Parser();
  Parser(const Parser&) = delete;

  Option& option(const std::string& name, std::string& value, const std::string& help);
  Option& option(const std::string& name, int64_t& value, const std::string& help);
  Option& option(const std::string& name, double& value, const std::string& help);
  Option& option(const std::string& name, std::vector<std::string>& values,
                 const std::string& help);  // may be repeated
  Option& flag(const std::string& name, bool& value, const std::string& help);
  void positionals(std::vector<std::string>& words, const std::string& name,
                   const std::string& help);

  void parse(const std::vector<std::string>& args);
  std::string help() const;

 private:
  struct Impl;
  Impl* impl_;
};

class Option {
 public:
  virtual ~Option() = default;
  virtual Option& required() = 0;
  virtual Option& choices(std::vector<std::string> words) = 0;
};

// Nearest of `candidates` by edit distance, empty when none is close. Shared with the config
// reader.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace covrl::cli
