#include "core/cli.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace covrl::cli {
namespace {

struct Options {
  std::string model;
  int64_t samples = 1;
  double temperature = 1;
  bool decode = false;
  std::string dtype = "fp32";
  std::vector<std::string> config;
  std::vector<std::string> words;

  void parse(const std::vector<std::string>& args) {
    Parser parser("covrl test", "Tests.", "covrl test --model DIR");
    declare(parser);
    parser.parse(args);
  }
  void declare(Parser& parser) {
    parser.option("--model", model, "checkpoint folder").required();
    parser.option("--samples", samples, "completions per prompt");
    parser.option("--temperature", temperature, "temperature");
    parser.option("--dtype", dtype, "storage").choices({"fp32", "bf16"});
    parser.option("--config", config, "YAML");
    parser.flag("--decode", decode, "ids to text");
    parser.positionals(words, "a.b=v", "overrides");
  }
};

std::string error_of(const std::vector<std::string>& args) {
  try {
    Options().parse(args);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

void expect_error(const std::vector<std::string>& args, const std::string& part) {
  const std::string message = error_of(args);
  EXPECT_TRUE(message.starts_with("covrl test: ")) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(CliTest, ReadsEveryKindOfOption) {
  Options options;
  options.parse({"--model", "m", "--samples=-8", "a=1", "--temperature", "-0.5", "--config", "x",
                 "--decode", "--dtype=bf16", "--config=y=z", "--", "--b"});
  EXPECT_EQ(options.model, "m");
  EXPECT_EQ(options.samples, -8);
  EXPECT_EQ(options.temperature, -0.5);
  EXPECT_TRUE(options.decode);
  EXPECT_EQ(options.dtype, "bf16");
  EXPECT_EQ(options.config, (std::vector<std::string>{"x", "y=z"}));
  EXPECT_EQ(options.words, (std::vector<std::string>{"a=1", "--b"}));
}

TEST(CliTest, MistakesNameOptionValueAndRemedy) {
  expect_error({"--modle", "m"}, "unknown option '--modle'; did you mean '--model'?");
  expect_error({"--zzz"}, "unknown option '--zzz'; options are --help, --model, ");
  expect_error({}, "missing --model TEXT; for example: covrl test --model DIR");
  expect_error({"--model"}, "--model needs a value");
  expect_error({"--model", "--samples", "1"}, "--model needs a value");
  expect_error({"--model=a", "--model=b"}, "--model is given twice");
  expect_error({"--model=a", "--samples", "1.5"}, "--samples must be a whole number, got '1.5'");
  expect_error({"--model=a", "--samples", "8x"}, "--samples must be a whole number, got '8x'");
  expect_error({"--model=a", "--samples="}, "--samples must be a whole number, got ''");
  expect_error({"--model=a", "--temperature", "nan"}, "--temperature must be a number, got 'nan'");
  expect_error({"--model=a", "--decode=yes"}, "--decode takes no value");
  expect_error({"--model=a", "--dtype", "bf61"},
               "--dtype must be one of fp32, bf16, got 'bf61'; did you mean 'bf16'?");
}

TEST(CliTest, WordsAreRefusedWhereNoneAreDeclared) {
  Parser parser("c", "s", "e");
  EXPECT_THROW(parser.parse({"word"}), Error);
}

TEST(CliTest, HelpShowsOptionsDefaultsAndExample) {
  Options options;
  Parser parser("covrl test", "Tests.", "covrl test --model DIR");
  options.declare(parser);
  const std::string text = parser.help();
  for (const char* part : {"--model TEXT", "(required)", "--dtype fp32|bf16", "[fp32]", "a.b=v",
                           "example:\n  covrl test --model DIR"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " not in\n" << text;
  ::testing::internal::CaptureStdout();
  EXPECT_THROW(parser.parse({"--help"}), HelpShown);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), text);
}

TEST(CliTest, NearestFindsTyposOnly) {
  const std::vector<std::string> keys = {"temperature", "top_p", "top_k", "lr", "learners"};
  EXPECT_EQ(nearest("temprature", keys), "temperature");
  EXPECT_EQ(nearest("tmeperature", keys), "temperature");
  EXPECT_EQ(nearest("Top-P", keys), "top_p");
  EXPECT_EQ(nearest("lrr", keys), "lr");
  EXPECT_EQ(nearest("banana", keys), "");
  EXPECT_EQ(nearest("kl", keys), "");
  EXPECT_EQ(nearest("m", {"n"}), "");
  EXPECT_EQ(nearest("", keys), "");
}

}  // namespace
}  // namespace covrl::cli
