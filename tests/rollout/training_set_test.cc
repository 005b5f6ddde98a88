#include "rollout/training_set.h"

#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"

namespace covrl {
namespace {

using Words = std::vector<std::string>;

std::string data_file() {
  const std::string path = testing::temporary_dir("training") + "/rows.jsonl";
  write_file_atomically(path,
                        "{\"id\":\"a\",\"problem\":\"pa\",\"answer\":\"1\"}\n"
                        "{\"id\":\"b\",\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},"
                        "{\"role\":\"user\",\"content\":\"pb\"}],\"answer\":\"2\"}\n"
                        "{\"id\":\"a\",\"problem\":\"pa\",\"answer\":\"1\"}\n"
                        "{\"id\":\"c\",\"problem\":\"pc\",\"answer\":\"3\"}\n");
  return path;
}

TrainingSet read(DataConfig config) {
  config.train_files = {data_file()};
  return read_training_set(config);
}

Words ids_of(const TrainingSet& set) {
  Words ids;
  for (const Prompt& prompt : set.rows) ids.push_back(prompt.id);
  return ids;
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

std::string fault_of(const Words& overrides) {
  DataConfig config;
  return error_of([&] {
    config::load({{}, overrides}, [&](config::Visitor& v) { config.describe(v); });
  });
}

void expect_mentions(const std::string& message, const Words& words) {
  for (const std::string& word : words)
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
}

TEST(TrainingSet, WithoutChoiceEveryRowIsThereInItsOrder) {
  const TrainingSet set = read({});
  EXPECT_EQ(ids_of(set), (Words{"a", "b", "a", "c"}));
  EXPECT_TRUE(set.notes.empty());
}

TEST(TrainingSet, IdsChooseEachProblemOnceAndSharesCopyIt) {
  DataConfig config;
  config.ids = {"c", "a"};
  EXPECT_EQ(ids_of(read(config)), (Words{"c", "a"}));
  config.shares = {"1", "3"};
  EXPECT_EQ(ids_of(read(config)), (Words{"c", "a", "a", "a"}));
  EXPECT_EQ(read(config).notes, Words{"Chosen:   2 of 4 rows by data.ids"});
}

TEST(TrainingSet, PromptsAndLabelsAreReplacedById) {
  DataConfig config;
  config.prompts = {"a=x = y?", "b=other"};
  config.labels = {"a=\\frac{1}{2}"};
  const TrainingSet set = read(config);
  for (const size_t row : {0, 2}) {
    EXPECT_EQ(set.rows[row].text, "x = y?");
    EXPECT_EQ(set.rows[row].gold, "\\frac{1}{2}");
  }
  EXPECT_EQ(set.rows[1].messages.at(0).content, "s");
  EXPECT_EQ(set.rows[1].messages.at(1).content, "other");
  EXPECT_EQ(set.rows[1].gold, "2");
  EXPECT_EQ(set.rows[3].text, "pc");
  EXPECT_EQ(set.notes,
            (Words{"Prompts:  2 replaced by data.prompts", "Changed:  a: 1 -> \\frac{1}{2}"}));
}

TEST(TrainingSet, AGivenLabelStandsWhateverTheNoise) {
  DataConfig config;
  config.label_noise = 1;
  config.labels = {"b=17"};
  const TrainingSet set = read(config);
  EXPECT_EQ(set.rows[1].gold, "17");
  EXPECT_NE(set.rows[0].gold, "1");
  EXPECT_EQ(set.rows[0].gold, set.rows[2].gold);
  EXPECT_EQ(set.notes.at(0),
            "Labels:   2 of 3 problems have a wrong one (data.label_noise, seed 1); drawn too, "
            "but given by data.labels: 1");
  config.labels.clear();
  EXPECT_EQ(read(config).notes.at(0),
            "Labels:   3 of 3 problems have a wrong one (data.label_noise, seed 1)");
}

TEST(TrainingSet, OneProblemWithTwoLabelsIsNoChange) {
  const std::string path = testing::temporary_dir("training") + "/rows.jsonl";
  write_file_atomically(path,
                        "{\"id\":\"a\",\"problem\":\"pa\",\"answer\":\"1\"}\n"
                        "{\"id\":\"a\",\"problem\":\"pa\",\"answer\":\"2\"}\n");
  DataConfig config;
  config.train_files = {path};
  EXPECT_EQ(read_training_set(config).notes, Words());
  config.labels = {"a=3"};
  EXPECT_EQ(read_training_set(config).notes, Words({"Changed:  a: 1 -> 3"}));
}

TEST(TrainingSet, UnknownIdsAreNamedWithTheNearest) {
  DataConfig config;
  config.ids = {"cc"};
  expect_mentions(error_of([&] { read(config); }),
                  {"data.ids", "no row of ", "rows.jsonl has", "'cc'", "'c'"});
  config = {};
  config.labels = {"zebra=1"};
  expect_mentions(error_of([&] { read(config); }),
                  {"data.labels", "rows.jsonl has", "'zebra'", "'a'"});
  config.ids = {"b"};
  expect_mentions(error_of([&] { read(config); }), {"rows.jsonl that data.ids chooses", "'b'"});
  config = {};
  config.prompts = {"zebra=1"};
  expect_mentions(error_of([&] { read(config); }), {"data.prompts", "'zebra'"});
}

TEST(TrainingSet, FaultsInTheSectionNameKeyAndRemedy) {
  expect_mentions(fault_of({"ids=[1,1]"}), {"ids=[1,1]", "twice", "`shares`"});
  expect_mentions(fault_of({"ids=[1,2]", "shares=[3]"}), {"shares", "1 items", "data.ids 2"});
  expect_mentions(fault_of({"ids=[1]", "shares=[0]"}), {"shares", "'0'", "whole number in [1, "});
  expect_mentions(fault_of({"shares=[2]"}), {"shares", "data.ids 0"});
  expect_mentions(fault_of({"labels=[12]"}), {"labels", "'12'", "ID=TEXT"});
  expect_mentions(fault_of({"prompts=[a=b,a=c]"}), {"prompts", "'a' twice"});
  expect_mentions(fault_of({"label_noise=1.5"}), {"label_noise", "1.5"});
  expect_mentions(fault_of({"label_noise_seed=3"}), {"label_noise_seed", "no effect"});
  EXPECT_EQ(fault_of({"label_noise=60%", "label_noise_seed=3", "ids=[124, x]", "shares=[2,1]"}),
            "no error");
}

}  // namespace
}  // namespace covrl
