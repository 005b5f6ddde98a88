#include "core/config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "tests/support/paths.h"

namespace covrl::config {
namespace {

enum class Kind { kNone, kClip };

struct Optimizer {
  double lr = 1e-6;
  int64_t warmup = 0;
  std::optional<double> clip = 1.0;
  void describe(Visitor& v) {
    v.field("lr", lr, "Learning rate.", {0, 1});
    v.field("warmup", warmup, "Warm-up updates.", {0, 1000});
    v.field("clip", clip, "Gradient norm | bound.", {0});
    v.check(lr > 0 || warmup == 0, "warmup", "has no effect when lr is 0; remove it");
  }
};

struct Actor {
  bool shuffle = true;
  Kind kind = Kind::kNone;
  double ratio = 0.0002;
  Optimizer optim;
  void describe(Visitor& v) {
    v.field("shuffle", shuffle, "Shuffle.");
    v.choice<Kind>("kind", kind, "Control.", {{"none", Kind::kNone}, {"clip_cov", Kind::kClip}});
    v.fraction("ratio", ratio, "Share of tokens.");
    v.check(kind == Kind::kClip || !v.given("ratio"), "ratio", "has no effect with kind none");
    v.section("optim", optim, "Optimizer.");
  }
};

struct Rollout {
  double temperature = 1;
  std::optional<int64_t> limit;
  std::vector<std::string> stop;
  std::vector<double> weights;
  void describe(Visitor& v) {
    v.field("temperature", temperature, "Temperature.", {1e-3, 100});
    v.field("limit", limit, "Limit.", {1, 1e9});
    v.field("stop", stop, "Stop words.");
    v.field("weights", weights, "Weights.", {0, 10});
  }
};

struct Root {
  std::string name = "run";
  Actor actor;
  Rollout rollout;
  void describe(Visitor& v) {
    v.field("name", name, "Name.");
    v.section("actor", actor, "The learner.");
    v.section("rollout", rollout, "Sampling.");
    v.check(!name.empty(), "name", "is required");
    v.check(rollout.temperature < 50 || actor.shuffle, "rollout", "is too hot without shuffle");
  }
};

Describe describe(Root& root) {
  return [&root](Visitor& v) { root.describe(v); };
}

// Files are written into a fresh folder; errors are returned with that folder's name removed.
class ConfigTest : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    const std::string name = concat("c", ++num_files_, ".yaml");
    std::ofstream(folder_ + name, std::ios::binary) << content;
    sources_.files.push_back(folder_ + name);
    return folder_ + name;
  }
  void override_with(const std::string& text) { sources_.overrides.push_back(text); }

  Root load() {
    Root root;
    config::load(sources_, describe(root));
    return root;
  }
  std::string faults() {
    try {
      load();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      std::string text = error.what();
      for (size_t at; (at = text.find(folder_)) != std::string::npos;)
        text.erase(at, folder_.size());
      return text;
    }
    return "no error";
  }
  std::string faults_of(const std::string& content) {
    sources_ = {};
    num_files_ = 0;
    file(content);
    return faults();
  }
  std::string faults_of_override(const std::string& text) {
    sources_ = {};
    override_with(text);
    return faults();
  }

  std::string folder_ = covrl::testing::temporary_dir("config") + "/";
  Sources sources_;
  int num_files_ = 0;
};

TEST_F(ConfigTest, ReadsEveryType) {
  file(R"(# comment
name: "a: b"
actor:
  shuffle: false
  kind: clip_cov
  ratio: 0.02%
  optim: {lr: 1e-3, warmup: 10, clip: null}
rollout:
  temperature: 2
  limit: 5
  stop: [x, "1", 'y z', 07]
  weights: [1, 0.5, 1e-3]
)");
  const Root root = load();
  EXPECT_EQ(root.name, "a: b");
  EXPECT_FALSE(root.actor.shuffle);
  EXPECT_EQ(root.actor.kind, Kind::kClip);
  EXPECT_EQ(root.actor.ratio, 0.0002);
  EXPECT_EQ(root.actor.optim.lr, 1e-3);
  EXPECT_EQ(root.actor.optim.warmup, 10);
  EXPECT_FALSE(root.actor.optim.clip.has_value());
  EXPECT_EQ(root.rollout.temperature, 2);
  EXPECT_EQ(root.rollout.limit, 5);
  EXPECT_EQ(root.rollout.stop, (std::vector<std::string>{"x", "1", "y z", "07"}));
  EXPECT_EQ(root.rollout.weights, (std::vector<double>{1, 0.5, 1e-3}));
}

TEST_F(ConfigTest, EmptyFilesAndSectionsKeepTheDefaults) {
  file("");
  file("# nothing\n");
  file("actor:\n  # lr: 1\nrollout:\n");
  const Root root = load();
  EXPECT_EQ(root.name, "run");
  EXPECT_EQ(root.actor.optim.lr, 1e-6);
  EXPECT_EQ(root.actor.optim.clip, 1.0);
}

TEST_F(ConfigTest, LaterFilesAndOverridesWinKeyByKeyAndListsAreReplaced) {
  file("name: a\nactor:\n  optim:\n    lr: 0.1\n    warmup: 3\nrollout:\n  stop: [a, b]\n");
  file("actor:\n  optim:\n    lr: 0.2\nrollout:\n  stop: [c]\n");
  override_with("actor.optim.warmup=7");
  override_with("actor.optim.warmup=8");
  override_with("rollout.limit=3");
  const Root root = load();
  EXPECT_EQ(root.name, "a");
  EXPECT_EQ(root.actor.optim.lr, 0.2);
  EXPECT_EQ(root.actor.optim.warmup, 8);
  EXPECT_EQ(root.rollout.stop, std::vector<std::string>{"c"});
  EXPECT_EQ(root.rollout.limit, 3);
}

TEST_F(ConfigTest, OverridesTakeListsTextAndNull) {
  override_with("rollout.stop=[a, 'b c']");
  override_with("name=");
  override_with("name=runs/x y");
  override_with("actor.optim.clip=null");
  override_with("actor.kind=clip_cov");
  override_with("actor.ratio=0.5%");
  const Root root = load();
  EXPECT_EQ(root.rollout.stop, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(root.name, "runs/x y");
  EXPECT_FALSE(root.actor.optim.clip.has_value());
  EXPECT_EQ(root.actor.ratio, 0.005);
}

TEST_F(ConfigTest, AllFaultsComeTogetherWithTheirPlaces) {
  EXPECT_EQ(
      faults_of("name: run\nactor:\n  shufle: true\n  optim:\n    lr: 2\n    warmup: 1e3\n"
                "    lr: 1\nrollout:\n  temperature: hot\n"),
      "c1.yaml:3:3: actor.shufle: unknown key; did you mean 'actor.shuffle'?\n"
      "c1.yaml:5:9: actor.optim.lr: must be a number in [0, 1], got 2\n"
      "c1.yaml:6:13: actor.optim.warmup: must be a whole number in [0, 1000], got 1e3\n"
      "c1.yaml:7:5: actor.optim.lr: duplicate key, first given at line 5; remove one of the two\n"
      "c1.yaml:9:16: rollout.temperature: must be a number in [0.001, 100], got hot");
}

TEST_F(ConfigTest, UnknownKeys) {
  EXPECT_EQ(faults_of("actor:\n  temprature: 1\n"),
            "c1.yaml:2:3: actor.temprature: unknown key; did you mean 'rollout.temperature'?");
  EXPECT_EQ(faults_of("rollouts:\n  temperature: 1\n"),
            "c1.yaml:1:1: rollouts: unknown key; did you mean 'rollout'?");
  EXPECT_EQ(
      faults_of("rollout.limit: 1\n"),
      "c1.yaml:1:1: rollout.limit: unknown key; did you mean 'rollout.limit'? In a file, each "
      "section is a level of indentation");
  EXPECT_EQ(faults_of("rollout: {zebra: 1}\n"),
            "c1.yaml:1:11: rollout.zebra: unknown key; keys here are temperature, limit, stop, "
            "weights");
  EXPECT_EQ(faults_of_override("actor.optim.lrr=1"),
            "override 'actor.optim.lrr=1': actor.optim.lrr: unknown key; did you mean "
            "'actor.optim.lr'?");
}

TEST_F(ConfigTest, WrongTypes) {
  const auto wrong = [this](const std::string& content) {
    const std::string text = faults_of(content);
    return text.substr(0, text.find('\n')).substr(text.find(": ") + 2);
  };
  EXPECT_EQ(
      wrong("actor: {optim: {warmup: '12'}}"),
      "actor.optim.warmup: must be a whole number in [0, 1000], got the text '12'; remove the "
      "quotes");
  for (const char* value :
       {"1_000", "0x10", "+1", "1.0", "99999999999999999999", "[1]", "1 2", "~"})
    EXPECT_TRUE(wrong(concat("actor: {optim: {warmup: ", value, "}}"))
                    .starts_with("actor.optim.warmup: must be a whole number in [0, 1000], got "))
        << value;
  for (const char* value : {".nan", "nan", "inf", "1e999", "1,5", "0.1x", "true", "0.1%"})
    EXPECT_TRUE(wrong(concat("rollout:\n  temperature: ", value))
                    .starts_with("rollout.temperature: must be a number in [0.001, 100], got "))
        << value;
  for (const char* value : {"yes", "True", "1", "'true'", "off"})
    EXPECT_TRUE(wrong(concat("actor: {shuffle: ", value, "}"))
                    .starts_with("actor.shuffle: must be true or false, got "))
        << value;
  EXPECT_EQ(wrong("name: 12"), "name: must be text, got 12; write \"12\" if it is meant as text");
  EXPECT_EQ(wrong("name: [a]"), "name: must be text, got a list");
  EXPECT_EQ(wrong("name:"), "name: must be text, got nothing");
  EXPECT_EQ(wrong("rollout: {stop: a}"),
            "rollout.stop: must be a list like [a, b], got a; write [a]");
  EXPECT_EQ(wrong("rollout: {stop: [a, [b]]}"), "rollout.stop: item 2 must be text, got a list");
  EXPECT_EQ(wrong("rollout: {weights: 2}"),
            "rollout.weights: must be a list like [1, 0.5], each a number in [0, 10], got 2; write "
            "[2]");
  EXPECT_EQ(wrong("rollout: {weights: [1, 11]}"),
            "rollout.weights: item 2 must be a number in [0, 10], got 11");
  EXPECT_EQ(wrong("actor: {kind: clip-cov}"),
            "actor.kind: must be one of none, clip_cov, got clip-cov; did you mean 'clip_cov'?");
  EXPECT_EQ(wrong("actor: {ratio: 200%}"),
            "actor.ratio: must be a number or a percentage like 0.02% in [0, 1], got 200%");
  EXPECT_EQ(wrong("actor: 5"), "actor: must be a section of keys, got 5");
  EXPECT_EQ(wrong("actor: {optim: {lr: {x: 1}}}"),
            "actor.optim.lr: must be a number in [0, 1], got a section");
  EXPECT_EQ(wrong("rollout: {limit: 0}"),
            "rollout.limit: must be a whole number in [1, 1000000000], or null, got 0");
}

TEST_F(ConfigTest, FaultInAValueThatALaterFileReplaces) {
  file("actor:\n  optim:\n    lr: fast\n");
  file("actor:\n  optim:\n    lr: 0.1\n");
  EXPECT_EQ(faults(), "c1.yaml:3:9: actor.optim.lr: must be a number in [0, 1], got fast");
}

TEST_F(ConfigTest, UnreadableSources) {
  sources_.files = {folder_ + "absent.yaml", folder_};
  EXPECT_EQ(
      faults(),
      "absent.yaml: cannot be read: No such file or directory\n: cannot be read: Is a directory");
  EXPECT_TRUE(faults_of("actor:\n  lr: [1,\nx: 2").starts_with("c1.yaml:3:1: not valid YAML: "))
      << faults_of("actor:\n  lr: [1,\nx: 2");
  EXPECT_EQ(faults_of("- a\n- b\n"),
            "c1.yaml:1:1: must be keys with values (key: value), got a list");
  EXPECT_EQ(faults_of("name: a\n---\nname: b\n").substr(0, 38),
            "c1.yaml:2:1: not valid YAML: a second ");
  EXPECT_EQ(faults_of("name: a\nactor: \xff\n"),
            "c1.yaml:2:8: not valid YAML: a byte that is not UTF-8");
  EXPECT_EQ(faults_of("name: !!str a\n").substr(0, 33), "c1.yaml:1:7: not valid YAML: tags");
}

TEST_F(ConfigTest, AliasesStandForWhatTheyName) {
  file("actor:\n  optim: {warmup: &n 9}\nrollout:\n  limit: *n\n");
  EXPECT_EQ(load().rollout.limit, 9);
  EXPECT_NE(faults_of("actor: &a\n  optim: *a\n").find("c1.yaml:2:10: not valid YAML"),
            std::string::npos)
      << faults_of("actor: &a\n  optim: *a\n");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += concat("a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) bomb += concat(j ? ", " : "", "*a", i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(faults_of(bomb).find("aliases expand to too much"), std::string::npos);
}

TEST_F(ConfigTest, FaultyOverrides) {
  EXPECT_EQ(faults_of_override("actor.optim.lr"),
            "override 'actor.optim.lr': an override is written section.key=value");
  EXPECT_EQ(faults_of_override("actor..lr=1"),
            "override 'actor..lr=1': an override is written section.key=value");
  EXPECT_EQ(faults_of_override("actor.optim.lr=fast"),
            "override 'actor.optim.lr=fast': actor.optim.lr: must be a number in [0, 1], got fast");
  EXPECT_EQ(
      faults_of_override("actor.optim.lr="),
      "override 'actor.optim.lr=': actor.optim.lr: must be a number in [0, 1], got the text ''");
  EXPECT_EQ(faults_of_override("name.x=1"),
            "override 'name.x=1': name: must be text, got a section");
  EXPECT_TRUE(faults_of_override("name=[a").starts_with("override 'name=[a': not valid YAML: "));
}

TEST_F(ConfigTest, BrokenChecksAreReportedWhereTheKeyWasWritten) {
  EXPECT_EQ(faults_of("actor:\n  optim:\n    lr: 0\n    warmup: 5\n"),
            "c1.yaml:4:5: actor.optim.warmup: has no effect when lr is 0; remove it");
  EXPECT_EQ(faults_of("actor:\n  ratio: 0.1\n"),
            "c1.yaml:2:3: actor.ratio: has no effect with kind none");
  EXPECT_EQ(faults_of("rollout: {temperature: 60}\nactor:\n  shuffle: false\n"),
            "c1.yaml:1:1: rollout: is too hot without shuffle");
  EXPECT_EQ(faults_of("name: ''\n"), "c1.yaml:1:1: name: is required");
  EXPECT_EQ(faults_of_override("actor.ratio=0.1"),
            "override 'actor.ratio=0.1': actor.ratio: has no effect with kind none");
}

TEST_F(ConfigTest, CheckOfAKeyThatWasNotWrittenNamesTheSectionOrTheFile) {
  struct Inner {
    std::string path;
    void describe(Visitor& v) {
      v.field("path", path, "Path.");
      v.check(!path.empty(), "path", "is required");
    }
  };
  const auto message = [](const Sources& sources) {
    Inner inner;
    try {
      config::load(sources, [&](Visitor& v) { v.section("model", inner, "Model."); });
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message({}), "configuration: model.path: is required");
  const std::string without = file("# none\n"), with = file("\nmodel:\n"),
                    typo = file("model: {pth: x}");
  EXPECT_EQ(message({{without}, {}}), without + ": model.path: is required");
  EXPECT_EQ(message({{with}, {}}), with + ":2:1: model.path: is required");
  EXPECT_EQ(message({{typo}, {}}),
            typo + ":1:9: model.pth: unknown key; did you mean 'model.path'?");
}

void expect_same(const Root& a, const Root& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.actor.shuffle, b.actor.shuffle);
  EXPECT_EQ(a.actor.kind, b.actor.kind);
  EXPECT_EQ(a.actor.ratio, b.actor.ratio);
  EXPECT_EQ(a.actor.optim.lr, b.actor.optim.lr);
  EXPECT_EQ(a.actor.optim.warmup, b.actor.optim.warmup);
  EXPECT_EQ(a.actor.optim.clip, b.actor.optim.clip);
  EXPECT_EQ(a.rollout.temperature, b.rollout.temperature);
  EXPECT_EQ(a.rollout.limit, b.rollout.limit);
  EXPECT_EQ(a.rollout.stop, b.rollout.stop);
  EXPECT_EQ(a.rollout.weights, b.rollout.weights);
}

TEST_F(ConfigTest, DumpReadsBackAsTheSameValues) {
  const std::vector<std::string> texts = {
      "plain",  "./a/b-c.yaml", "/abs", "with space", "12",    "1e5",
      ".5",     "true",         "No",   "null",       "~",     "a: b",
      "a #b",   "[x]",          "{x}",  "'q'",        "\"q\"", "line\nbreak\t\x01",
      "back\\", "ünï→",         "- x",  "*x",         "&x",    "!x",
      "%x",     "@x",           "`x",   "x:",         "a,b",   " x",
      "inf",    "../up",        "0x1F", "1_000",      "?",     "-"};
  for (const Comments comments : {Comments::kNone, Comments::kHelp})
    for (const std::string& text : texts) {
      Root root;
      root.name = text;
      root.actor.kind = Kind::kClip;
      root.actor.ratio = 1.0 / 3;
      root.actor.optim = {0.1 + 0.2, 5, std::nullopt};
      root.rollout = {1e-3 + 1e-17, 7, texts, {1.0 / 3, 2}};
      sources_ = {};
      file(dump(describe(root), comments));
      expect_same(load(), root);
    }
}

TEST_F(ConfigTest, DumpIsReadable) {
  Root root;
  root.actor.ratio = 0.2;
  EXPECT_EQ(dump(describe(root), Comments::kNone),
            "name: run\nactor:\n  shuffle: true\n  kind: none\n  ratio: 0.2\n  optim:\n"
            "    lr: 1e-06\n    warmup: 0\n    clip: 1\nrollout:\n  temperature: 1\n  limit: null\n"
            "  stop: []\n  weights: []\n");
  const std::string help = dump(describe(root), Comments::kHelp);
  EXPECT_NE(help.find("\n# The learner.\nactor:\n  # Shuffle. (true or false)\n  shuffle: true\n"),
            std::string::npos)
      << help;
  EXPECT_NE(help.find("    # Learning rate. (a number in [0, 1])\n    lr: 1e-06\n"),
            std::string::npos);
}

TEST_F(ConfigTest, DocumentHasATableForEachSection) {
  Root root;
  const std::string text = document(describe(root));
  EXPECT_NE(text.find("### actor.optim\n\nOptimizer.\n\n| key | default | takes | meaning |\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| `clip` | `1` | a number >= 0, or null | Gradient norm \\| bound. |\n"),
            std::string::npos);
  EXPECT_NE(text.find("| `kind` | `none` | one of none, clip_cov | Control. |\n"),
            std::string::npos);
  EXPECT_LT(text.find("## actor\n"), text.find("### actor.optim\n"));
}

// A section whose keys the user names.
struct Named {
  std::vector<std::pair<std::string, double>> values;
  std::vector<std::string> places;
  void describe(Visitor& v) {
    for (const std::string& key : v.given_keys()) {
      values.emplace_back(key, 0.0);
      v.field(key.c_str(), values.back().second, "Value.", {0, 1});
      places.push_back(v.place(key.c_str()));
    }
    EXPECT_EQ(v.place("absent"), "");
  }
};

TEST_F(ConfigTest, KeysThatTheUserNamesComeInTheirOrderWithTheirPlace) {
  const std::string path = file("b: 0.5\na: 0.25\n");
  Named named;
  config::load({{path}, {"c=1"}}, [&](Visitor& v) { named.describe(v); });
  EXPECT_EQ(named.values,
            (std::vector<std::pair<std::string, double>>{{"b", .5}, {"a", .25}, {"c", 1}}));
  EXPECT_EQ(named.places,
            (std::vector<std::string>{path + ":1:1", path + ":2:1", "override 'c=1'"}));
}

}  // namespace
}  // namespace covrl::config
