#include "policy/safetensors.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

namespace fs = std::filesystem;
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

std::string file_with(const std::string& content) {
  const std::string path = testing::temporary_dir("safetensors") + "/model.safetensors";
  write_file_atomically(path, content);
  return path;
}

std::string with_length(const std::string& header) {
  const uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header;
}

std::string refusal(const std::string& path) {
  try {
    read_safetensors(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

void expect_same_bits(const at::Tensor& seen, const at::Tensor& wanted) {
  ASSERT_EQ(seen.scalar_type(), wanted.scalar_type());
  ASSERT_EQ(seen.sizes(), wanted.sizes());
  const at::Tensor plain = wanted.contiguous();
  EXPECT_EQ(std::memcmp(seen.const_data_ptr(), plain.const_data_ptr(), plain.nbytes()), 0);
}

TEST(Safetensors, RoundTripKeepsEveryTypeAndShape) {
  NamedTensors tensors;
  for (const at::ScalarType type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
        at::kChar, at::kByte, at::kBool, at::kUInt16, at::kUInt32, at::kUInt64, at::kFloat8_e4m3fn,
        at::kFloat8_e5m2, at::kComplexFloat}) {
    const at::Tensor values = at::arange(0, 6, at::kFloat).remainder(2).reshape({2, 3});
    tensors.emplace_back(concat("type ", c10::toString(type)), values.to(type));
  }
  tensors.emplace_back("scalar", at::tensor(2.5));
  tensors.emplace_back("empty", at::empty({0, 4}));
  tensors.emplace_back("strided", at::arange(0, 12, at::kFloat).reshape({3, 4}).t());
  const std::string path = testing::temporary_dir("safetensors") + "/t.safetensors";
  write_safetensors(path, tensors, {{"made by", "a \"test\""}});

  const auto read = read_safetensors(path);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    SCOPED_TRACE(name);
    expect_same_bits(read.at(name), tensor);
  }
}

TEST(Safetensors, HeaderIsAlignedAndHoldsTheMetadata) {
  const std::string path = testing::temporary_dir("safetensors") + "/t.safetensors";
  write_safetensors(path, {{"a", at::ones({3})}}, {{"step", "5"}});
  const std::string content = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  EXPECT_EQ(length % 8, 0U);
  const Json header = parse_json(content.substr(8, length), path);
  EXPECT_EQ(header["__metadata__"], (Json{{"format", "pt"}, {"step", "5"}}));
  EXPECT_EQ(header["a"]["data_offsets"], (Json{0, 12}));
}

TEST(Safetensors, ShardsReadBackAsOne) {
  const std::string dir = testing::temporary_dir("safetensors");
  NamedTensors tensors;
  for (int i = 0; i < 7; ++i)
    tensors.emplace_back(concat("t", i), at::full({10 + i}, i, at::kFloat));
  write_safetensors_sharded(dir, tensors, /*max_shard_bytes=*/100);
  EXPECT_FALSE(fs::exists(dir + "/model.safetensors"));
  int64_t shards = 0;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() != ".safetensors") continue;
    ++shards;
    int64_t bytes = 0;
    for (const auto& [name, tensor] : read_safetensors(entry.path()))
      bytes += static_cast<int64_t>(tensor.nbytes());
    EXPECT_LE(bytes, 100);
  }
  EXPECT_GT(shards, 1);
  const auto read = read_safetensors_dir(dir);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) expect_same_bits(read.at(name), tensor);

  // Written again in one piece, the shards' index must not be left behind.
  write_safetensors_sharded(dir, tensors, /*max_shard_bytes=*/1000);
  EXPECT_FALSE(fs::exists(dir + "/model.safetensors.index.json"));
  EXPECT_EQ(read_safetensors_dir(dir).size(), tensors.size());
}

TEST(Safetensors, RefusesHeadersThatLie) {
  const std::string four_bytes(4, '\0');
  const std::vector<std::pair<std::string, const char*>> cases = {
      {R"([1])", "object"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "header"},
      {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", "F31"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "shape"},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", "shape"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,4]}})", "shape"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", "range"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "shape"},
      {R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}})", "2 bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "outside"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", "outside"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", "data_offsets"},
      {R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}})", "hole"},
      {R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", "follow"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}})",
       "overlapping"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "duplicate"},
      {R"({"__metadata__":3,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "__metadata__"},
  };
  for (const auto& [header, word] : cases) {
    const std::string message = refusal(file_with(with_length(header) + four_bytes));
    EXPECT_NE(message.find(word), std::string::npos) << header << "\n" << message;
  }
}

TEST(Safetensors, RefusesFilesThatAreCut) {
  for (const size_t size : {0, 1, 7, 8, 9}) {
    const std::string content = with_length("{}");
    refusal(file_with(content.substr(0, size)));
  }
  EXPECT_TRUE(read_safetensors(file_with(with_length("{}"))).empty());
}

TEST(Safetensors, RefusesABooleanThatIsNeitherTrueNorFalse) {
  const std::string header = R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})";
  EXPECT_NE(refusal(file_with(with_length(header) + '\2')).find("BOOL"), std::string::npos);
}

TEST(Safetensors, NamesAFolderWithoutWeights) {
  const std::string dir = testing::temporary_dir("safetensors");
  try {
    read_safetensors_dir(dir);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.safetensors"), std::string::npos);
  }
}

class SafetensorsIndex : public ::testing::Test {
 protected:
  SafetensorsIndex() : dir_(testing::temporary_dir("safetensors")) {
    write_safetensors(dir_ + "/one.safetensors", {{"a", at::ones({2})}});
    write_safetensors(dir_ + "/two.safetensors", {{"b", at::ones({2})}});
  }

  std::string refusal(const Json& weight_map) {
    write_file_atomically(dir_ + "/model.safetensors.index.json",
                          Json{{"weight_map", weight_map}}.dump());
    try {
      read_safetensors_dir(dir_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  std::string dir_;
};

TEST_F(SafetensorsIndex, MustAgreeWithItsShards) {
  EXPECT_EQ(refusal({{"a", "one.safetensors"}, {"b", "two.safetensors"}}), "");
  EXPECT_NE(refusal({{"a", "one.safetensors"}, {"c", "two.safetensors"}}).find("\"b\""),
            std::string::npos);
  EXPECT_NE(refusal({{"a", "one.safetensors"}, {"b", "one.safetensors"}}).find("\"b\""),
            std::string::npos);
  EXPECT_NE(
      refusal({{"a", "one.safetensors"}, {"b", "three.safetensors"}}).find("three.safetensors"),
      std::string::npos);
}

TEST_F(SafetensorsIndex, MayNotLeaveItsFolder) {
  for (const char* shard : {"../one.safetensors", "/etc/one.safetensors", "x/../one.safetensors",
                            "..\\one.safetensors", ".."})
    EXPECT_NE(refusal({{"a", "one.safetensors"}, {"b", shard}}).find("same folder"),
              std::string::npos)
        << shard;
}

}  // namespace
}  // namespace covrl
