#include "core/jsonl.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

std::string usage_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string parse_error(const std::string& text) {
  return usage_error([&] { parse_json(text, "f.json"); });
}

std::string write(const std::string& content) {
  const std::string path = testing::temporary_dir("jsonl") + "/rows.jsonl";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(JsonTest, ParsesEveryKindOfValueInOrder) {
  const std::string text =
      R"({"b":[1,-2,3.5,1e-6,true,false,null,"\u00e9\n"],"a":{},"":[],"n":18446744073709551615})";
  EXPECT_EQ(parse_json(text, "f").dump(), Json::parse(text).dump());
  EXPECT_EQ(parse_json("\n 5 ", "f"), Json(5));
}

TEST(JsonTest, RoundTripOfNestedContainers) {
  const std::string text = R"([[[{"a":[{"b":{"c":[1]}},{"b":2}]},[]],{}],"x"])";
  EXPECT_EQ(parse_json(text, "f").dump(), text);
}

TEST(JsonTest, DuplicateKeyNamesKeyLineAndColumn) {
  EXPECT_EQ(parse_error("{\"a\": 1,\n  \"a\": 2}"),
            "f.json:2:3: duplicate key \"a\"; remove one of the two");
  EXPECT_EQ(parse_error("{\"x\":{\"q\\\"\":1, \"q\\\"\":2}}"),
            "f.json:1:16: duplicate key \"q\"\"; remove one of the two");
  EXPECT_NO_THROW(parse_json(R"({"a":{"a":1},"b":{"a":2}})", "f"));
}

TEST(JsonTest, SyntaxErrorsNameThePlace) {
  for (const char* text :
       {"{\n\"a\": }", "{\n\"a\":1 \"b\"}", "[\n1,]", "[\n1] x", "[\nNaN]", "[\n1e999]"})
    EXPECT_TRUE(parse_error(text).starts_with("f.json:2:"))
        << text << " gave " << parse_error(text);
  EXPECT_TRUE(parse_error("{\n\"a\": }").starts_with("f.json:2:6: not valid JSON: syntax error"))
      << parse_error("{\n\"a\": }");
  EXPECT_TRUE(parse_error("").starts_with("f.json:1:1: not valid JSON")) << parse_error("");
  EXPECT_TRUE(parse_error("{\"a\"").starts_with("f.json:1:4: ")) << parse_error("{\"a\"");
}

// ordered_map searches its members on every insertion: a vocabulary would take minutes if the
// parser used that.
TEST(JsonTest, LargeObjectsKeepTheirOrder) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += concat(i ? "," : "", "\"key", i, "\":", i);
  const Json object = parse_json(text + "}", "f");
  ASSERT_EQ(object.size(), 200000u);
  EXPECT_EQ(object.begin().key(), "key0");
  EXPECT_EQ(std::prev(object.end()).value(), 199999);
}

TEST(JsonTest, MissingFileAndFolder) {
  EXPECT_EQ(usage_error([] { read_json("absent.json"); }),
            "absent.json: cannot be read: No such file or directory");
  const std::string folder = testing::temporary_dir("jsonl");
  EXPECT_EQ(usage_error([&] { read_json(folder); }), folder + ": cannot be read: Is a directory");
  EXPECT_EQ(usage_error([&] { read_jsonl(folder, [](int64_t, const Json&) {}); }),
            folder + ": cannot be read: Is a directory");
}

TEST(JsonlTest, NumbersLinesAndSkipsEmptyOnes) {
  const std::string path = write("{\"a\":1}\n\n  \r\n{\"a\":2}\r\n{\"a\":3}");
  std::vector<std::pair<int64_t, int64_t>> rows;
  read_jsonl(
      path, [&](int64_t line, const Json& row) { rows.emplace_back(line, get_int(row, "a", "")); });
  EXPECT_EQ(rows, (std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {4, 2}, {5, 3}}));
}

TEST(JsonlTest, ErrorsNameFileAndLine) {
  const auto ignore = [](int64_t, const Json&) {};
  std::string path = write("{\"a\":1}\n{\"a\":1,}\n");
  EXPECT_TRUE(
      usage_error([&] { read_jsonl(path, ignore); }).starts_with(path + ":2:8: not valid JSON"));
  path = write("{\"a\":1}\n{\"a\":1,\"a\":1}\n");
  EXPECT_TRUE(
      usage_error([&] { read_jsonl(path, ignore); }).starts_with(path + ":2:8: duplicate key"));
  path = write("{}\n\n[1]\n");
  EXPECT_EQ(usage_error([&] { read_jsonl(path, ignore); }),
            path + ":3: expected an object {...}, got [1]");
}

TEST(JsonlTest, ErrorsOfTheCallerGetThePlaceOnce) {
  const std::string path = write("{}\n{\"a\":\"x\"}\n");
  const auto bare = [](int64_t line, const Json&) {
    if (line == 2) throw_usage("id missing");
  };
  EXPECT_EQ(usage_error([&] { read_jsonl(path, bare); }), path + ":2: id missing");
  const auto placed = [&](int64_t line, const Json& row) {
    if (line == 2) get_int(row, "a", concat(path, ":", line));
  };
  EXPECT_EQ(usage_error([&] { read_jsonl(path, placed); }),
            path + ":2: \"a\" must be an integer of 64 bits, got \"x\"");
  const auto runtime = [](int64_t, const Json&) { throw_runtime("disk"); };
  try {
    read_jsonl(path, runtime);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kRuntime);
    EXPECT_EQ(error.what(), path + ":1: disk");
  }
}

TEST(JsonlTest, TypedAccess) {
  const Json row =
      Json::parse(R"({"s":"t","i":-3,"d":0.5,"b":true,"u":18446744073709551615,"n":null})");
  EXPECT_EQ(get_string(row, "s", "w"), "t");
  EXPECT_EQ(get_int(row, "i", "w"), -3);
  EXPECT_EQ(get_double(row, "i", "w"), -3);
  EXPECT_EQ(get_double(row, "d", "w"), 0.5);
  EXPECT_TRUE(get_bool(row, "b", "w"));
  EXPECT_EQ(usage_error([&] { get_string(row, "i", "w"); }), "w: \"i\" must be a string, got -3");
  EXPECT_EQ(usage_error([&] { get_int(row, "d", "w"); }),
            "w: \"d\" must be an integer of 64 bits, got 0.5");
  EXPECT_THROW(get_int(row, "u", "w"), Error);
  EXPECT_THROW(get_bool(row, "i", "w"), Error);
  EXPECT_THROW(get_double(row, "n", "w"), Error);
  EXPECT_EQ(usage_error([&] { get_string(row, "absent", "w"); }),
            "w: missing key \"absent\" (a string)");
}

TEST(FileTest, AtomicWriteReplacesAndLeavesNothingBeside) {
  const std::string folder = testing::temporary_dir("file");
  const std::string path = folder + "/f";
  const std::string content("a\0b\n", 4);
  write_file_atomically(path, "old, longer content");
  write_file_atomically(path, content);
  EXPECT_EQ(read_file(path), content);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(FileTest, FailedWriteIsARuntimeErrorAndLeavesNothing) {
  const std::string folder = testing::temporary_dir("file");
  std::filesystem::create_directories(folder + "/target/child");
  try {
    write_file_atomically(folder + "/target", "x");  // a folder in the way: rename fails
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kRuntime);
    EXPECT_NE(std::string(error.what()).find(folder + "/target"), std::string::npos);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_THROW(write_file_atomically(folder + "/absent/f", "x"), Error);
}

}  // namespace
}  // namespace covrl
