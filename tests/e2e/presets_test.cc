// The files below configs/: each is run as its header says, without model and data, and those of
// the two papers have the published constants.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/error.h"
#include "core/jsonl.h"
#include "tests/support/paths.h"
#include "tests/support/run_program.h"

namespace covrl::testing {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Settings = std::map<std::string, std::string>;

// What a preset needs stands in the file itself, not in the folder the test runs in.
std::string located(const std::string& word) {
  return word.compare(0, 8, "configs/") == 0 ? source_path(word) : word;
}

// The commands in the comment at the head of a preset, without their first word.
std::vector<Words> header_commands(const std::string& path) {
  std::vector<Words> commands;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line) && line[0] == '#';) {
    std::istringstream stream(line.substr(0, line.find(" # ", 1)));
    std::string mark, program;
    if (!(stream >> mark >> program) || mark != "#" || program != "covrl") continue;
    Words words;
    for (std::string word; stream >> word;) words.push_back(located(word));
    if (words[0] == "train" || words[0] == "sft" || words[0] == "sweep") commands.push_back(words);
  }
  return commands;
}

ProgramResult run_config_only(Words words) {
  words.push_back("--config-only");
  return run_covrl(words);
}

ProgramResult run_dry(Words words) {
  words.push_back("--dry-run");
  return run_covrl(words);
}

std::vector<std::string> preset_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(source_path("configs")))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Presets, EveryFileRunsByTheCommandInItsHeader) {
  int64_t num_commands = 0;
  for (const std::string& file : preset_files()) {
    std::vector<Words> commands = header_commands(file);
    if (commands.empty()) commands.push_back({"train", "--config", file});
    for (const Words& words : commands) {
      EXPECT_NE(std::find(words.begin(), words.end(), file), words.end())
          << file << ": a command of its header does not name it";
      const bool sweep = words[0] == "sweep";
      const ProgramResult result = sweep ? run_dry(words) : run_config_only(words);
      EXPECT_EQ(result.status, 0) << file << "\n" << result.err;
      EXPECT_NE((result.err + result.out).find(sweep ? " runs to do" : "Not checked: "),
                std::string::npos)
          << result.err;
      ++num_commands;
    }
  }
  std::cout << num_commands << " commands of " << preset_files().size() << " files\n";
}

// A resolved configuration as dotted keys.
Settings flatten(const std::string& yaml) {
  Settings settings;
  std::vector<std::string> path;
  std::istringstream in(yaml);
  for (std::string line; std::getline(in, line);) {
    const size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') continue;
    const size_t colon = line.find(':');
    path.resize(indent / 2);
    path.push_back(line.substr(indent, colon - indent));
    if (colon + 2 > line.size()) continue;
    std::string key;
    for (const std::string& part : path) key += (key.empty() ? "" : ".") + part;
    settings[key] = line.substr(colon + 2);
  }
  return settings;
}

// Files of configs/ without their ending, then overrides.
Settings resolved(const Words& names, const Words& overrides = {}) {
  Words words = {"train"};
  for (const std::string& name : names)
    words.insert(words.end(), {"--config", source_path("configs/" + name + ".yaml")});
  words.insert(words.end(), overrides.begin(), overrides.end());
  const ProgramResult result = run_config_only(words);
  EXPECT_EQ(result.status, 0) << result.err;
  Settings settings = flatten(result.out);
  const size_t updates = result.err.find("optimizer:");
  EXPECT_NE(updates, std::string::npos);
  if (updates != std::string::npos)
    settings["updates"] = std::to_string(std::atoi(result.err.c_str() + updates + 10));
  return settings;
}

// Numbers by value, whatever their spelling.
bool same(const std::string& a, const std::string& b) {
  char *end_a = nullptr, *end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a), y = std::strtod(b.c_str(), &end_b);
  return *end_a == '\0' && *end_b == '\0' && !a.empty() && !b.empty() ? x == y : a == b;
}

void expect_settings(const std::string& what, const Settings& seen, const Settings& published) {
  for (const auto& [key, value] : published) {
    const auto found = seen.find(key);
    if (found == seen.end()) {
      ADD_FAILURE() << what << ": no key " << key;
    } else {
      EXPECT_TRUE(same(found->second, value))
          << what << ": " << key << " is " << found->second << ", published is " << value;
    }
  }
}

Settings merged(Settings base, const Settings& more) {
  for (const auto& [key, value] : more) base[key] = value;
  return base;
}

const Settings kAdamW = {
    {"actor.optim.beta1", "0.9"},         {"actor.optim.beta2", "0.999"},
    {"actor.optim.eps", "1e-8"},          {"actor.optim.grad_clip", "1"},
    {"actor.optim.lr_warmup_steps", "0"}, {"actor.optim.lr_schedule", "constant"}};

// arXiv 2505.22617, and recipe/dapo/*.sh of its repository.
const Settings kEntropyPaper =
    merged(kAdamW, {{"updates", "8"},
                    {"trainer.train_batch_size", "256"},
                    {"actor.ppo_mini_batch_size", "32"},
                    {"actor.ppo_epochs", "1"},
                    {"rollout.n", "8"},
                    {"rollout.temperature", "1"},
                    {"rollout.top_p", "1"},
                    {"rollout.top_k", "0"},
                    {"data.max_prompt_length", "2048"},
                    {"rollout.max_new_tokens", "8192"},
                    {"algorithm.adv_estimator", "grpo"},
                    {"algorithm.use_kl_in_reward", "false"},
                    {"algorithm.filter_groups.enable", "true"},
                    {"algorithm.filter_groups.metric", "acc"},
                    {"algorithm.filter_groups.max_num_gen_batches", "10"},
                    {"algorithm.overlong_buffer.enable", "false"},
                    {"algorithm.overlong_filter", "false"},
                    {"algorithm.rollout_correction.rollout_is", "none"},
                    {"actor.loss_agg_mode", "token-mean"},
                    {"actor.pg_loss_coeff", "1"},
                    {"actor.kl_loss_coef", "0"},
                    {"actor.policy_loss.clip_ratio_c", "0"},
                    {"actor.entropy_control.entropy_coeff", "0"},
                    {"actor.optim.weight_decay", "0"},
                    {"verifier.name", "math_boxed"},
                    {"eval.samples", "32"},
                    {"eval.temperature", "0.6"},
                    {"eval.every", "4"},
                    {"trainer.save_every", "32"}});

Settings clip(const std::string& low, const std::string& high, const std::string& control) {
  return {{"actor.policy_loss.kind", "clip"},
          {"actor.policy_loss.clip_ratio_low", low},
          {"actor.policy_loss.clip_ratio_high", high},
          {"actor.entropy_control.kind", control}};
}

Settings kl_cov(const std::string& ratio) {
  return {{"actor.policy_loss.kind", "unclipped"},
          {"actor.entropy_control.kind", "kl_cov"},
          {"actor.entropy_control.kl_cov_ratio", ratio},
          {"actor.entropy_control.ppo_kl_coef", "1"},
          {"actor.entropy_control.kl_cov_penalty", "abs"},
          {"actor.entropy_control.kl_cov_with_clip", "false"},
          {"actor.entropy_control.score", "current"},
          {"actor.entropy_control.scope", "mini"}};
}

TEST(Presets, EntropyPaperHasItsConstants) {
  const Settings clip_cov =
      merged(clip("1", "1", "clip_cov"), {{"actor.entropy_control.clip_cov_ratio", "0.0002"},
                                          {"actor.entropy_control.clip_cov_lb", "1"},
                                          {"actor.entropy_control.clip_cov_ub", "5"},
                                          {"actor.entropy_control.score", "current"},
                                          {"actor.entropy_control.scope", "mini"}});
  for (const auto& [size, rate, ratio] : std::vector<std::array<std::string, 3>>{
           {"7b", "5e-7", "0.002"}, {"32b", "1e-6", "0.0002"}}) {
    const std::vector<std::pair<std::string, Settings>> methods = {
        {"grpo", clip("0.2", "0.2", "none")},
        {"clip_higher", clip("0.2", "0.28", "none")},
        {"clip_cov", clip_cov},
        {"kl_cov", kl_cov(ratio)}};
    for (const auto& [method, published] : methods) {
      const std::string name = concat("entropy/qwen2.5-", size, "-", method);
      const Settings seen = resolved({name});
      expect_settings(name, seen, merged(kEntropyPaper, published));
      expect_settings(name, seen,
                      {{"actor.optim.lr", rate},
                       {"model.path", size == "7b" ? "models/Qwen2.5-7B" : "models/Qwen2.5-32B"}});
    }
  }
}

// Sets of arXiv 2504.20571: three greedy, three as the mean of 8 samples at 0.6.
const std::string kPaperProtocol =
    "[data/benchmarks/math500.jsonl, data/benchmarks/minerva_math.jsonl, "
    "data/benchmarks/olympiadbench.jsonl, "
    "\"data/benchmarks/aime24.jsonl:samples=8:temperature=0.6\", "
    "\"data/benchmarks/aime25.jsonl:samples=8:temperature=0.6\", "
    "\"data/benchmarks/amc23.jsonl:samples=8:temperature=0.6\"]";

// arXiv 2504.20571, and scripts/train of its repository.
const Settings kOneShot = merged(kAdamW, {{"updates", "1"},
                                          {"model.path", "models/Qwen2.5-Math-1.5B"},
                                          {"trainer.train_batch_size", "128"},
                                          {"trainer.total_steps", "2000"},
                                          {"trainer.save_every", "20"},
                                          {"data.repeat", "1"},
                                          {"data.prompt_suffix", "\"\""},
                                          {"data.max_prompt_length", "1024"},
                                          {"rollout.n", "8"},
                                          {"rollout.temperature", "0.6"},
                                          {"rollout.top_p", "1"},
                                          {"rollout.max_new_tokens", "3072"},
                                          {"algorithm.adv_estimator", "grpo"},
                                          {"algorithm.use_kl_in_reward", "false"},
                                          {"algorithm.filter_groups.enable", "false"},
                                          {"actor.pg_loss_coeff", "1"},
                                          {"actor.loss_agg_mode", "token-mean"},
                                          {"actor.kl_loss_coef", "0.001"},
                                          {"actor.kl_loss_type", "k3"},
                                          {"actor.ppo_epochs", "1"},
                                          {"actor.policy_loss.kind", "clip"},
                                          {"actor.policy_loss.clip_ratio_low", "0.2"},
                                          {"actor.policy_loss.clip_ratio_high", "0.2"},
                                          {"actor.policy_loss.clip_ratio_c", "0"},
                                          {"actor.entropy_control.kind", "bonus"},
                                          {"actor.entropy_control.entropy_coeff", "0.001"},
                                          {"actor.optim.lr", "1e-6"},
                                          {"actor.optim.weight_decay", "0.01"},
                                          {"verifier.name", "math_boxed"},
                                          {"eval.every", "20"},
                                          {"eval.files", kPaperProtocol},
                                          {"eval.samples", "0"},
                                          {"eval.greedy", "true"}});

const std::string kBase = "one_shot/qwen2.5-math-1.5b-";

TEST(Presets, OneShotPaperHasItsConstants) {
  const std::vector<std::pair<std::string, std::string>> sets = {
      {"pi1", "pi1_r128"},
      {"pi13", "pi13_r128"},
      {"pi1_pi13", "merge_pi1_pi13_r128"},
      {"pi1_2_13_1209", "merge_pi1_pi2_pi13_pi1209_r128"},
      {"dsr_sub", "dsr_sub"}};
  for (const auto& [name, file] : sets)
    expect_settings(
        name, resolved({kBase + name}),
        merged(kOneShot, {{"data.train_files", "[data/one_shot/" + file + ".parquet]"}}));
  Settings math = kOneShot;
  math.erase("data.prompt_suffix");
  expect_settings("math_7500", resolved({kBase + "math_7500"}),
                  merged(math, {{"data.train_files", "[data/math/train_7500.jsonl]"}}));
}

// The paper's 8 updates where its code makes one; each file names the other reading as an override.
TEST(Presets, OneShotPaperInBothReadingsOfItsUpdates) {
  expect_settings("8 updates", resolved({kBase + "pi1-8_updates"}),
                  merged(kOneShot, {{"updates", "8"}, {"actor.ppo_mini_batch_size", "16"}}));
  expect_settings("dsr_sub", resolved({kBase + "dsr_sub"}, {"actor.ppo_mini_batch_size=16"}),
                  merged(kOneShot, {{"updates", "8"}}));
  // In responses: the code's actor (128 prompts of 8) and, of PPO, its critic (128 / 8).
  expect_settings("in responses",
                  resolved({kBase + "pi1"}, {"actor.ppo_mini_batch_size=1024",
                                             "actor.ppo_mini_batch_unit=responses"}),
                  merged(kOneShot, {{"updates", "1"}, {"actor.ppo_mini_batch_size", "1024"}}));
}

TEST(Presets, OneShotPpoHasItsConstants) {
  for (const std::string set : {"pi1", "dsr_sub"})
    expect_settings(set + " ppo", resolved({kBase + set + "-ppo"}),
                    merged(kOneShot, {{"algorithm.adv_estimator", "gae"},
                                      {"algorithm.gamma", "1"},
                                      {"algorithm.lam", "1"},
                                      {"critic.optim.lr", "1e-5"},
                                      {"critic.optim.weight_decay", "0.01"},
                                      {"critic.cliprange_value", "0.5"},
                                      {"critic.ppo_mini_batch_size", "16"},
                                      {"critic.loss_agg_mode", "token-mean"},
                                      {"trainer.critic_warmup", "0"}}));
}

TEST(Presets, OneShotAblationsDifferInTheirTermsAlone) {
  struct Row {
    std::string name, policy, decay, kl, entropy;
  };
  const std::vector<Row> rows = {{"p", "1", "0", "0", "0"},
                                 {"p_w", "1", "0.01", "0", "0"},
                                 {"p_w_k", "1", "0.01", "0.001", "0"},
                                 {"p_e", "1", "0", "0", "0.001"},
                                 {"w_k", "0", "0.01", "0.001", "0"},
                                 {"w_k_e", "0", "0.01", "0.001", "0.001"},
                                 {"e", "0", "0", "0", "0.001"},
                                 {"none", "0", "0", "0", "0"},
                                 {"entropy_0.003", "1", "0.01", "0.001", "0.003"}};
  for (const Row& row : rows)
    expect_settings(
        row.name, resolved({kBase + "pi1", "one_shot/ablation/" + row.name}),
        merged(kOneShot, {{"actor.pg_loss_coeff", row.policy},
                          {"actor.optim.weight_decay", row.decay},
                          {"actor.kl_loss_coef", row.kl},
                          {"actor.policy_loss.clip_ratio_c", row.policy == "0" ? "null" : "0"},
                          {"actor.entropy_control.entropy_coeff", row.entropy},
                          {"actor.entropy_control.kind", row.entropy == "0" ? "none" : "bonus"}}));
  expect_settings("temperature", resolved({kBase + "pi1", "one_shot/ablation/temperature_1"}),
                  merged(kOneShot, {{"rollout.temperature", "1"}}));
  expect_settings("format", resolved({kBase + "pi1", "one_shot/format_reward"}),
                  merged(kOneShot, {{"verifier.name", "format"}}));
}

TEST(Presets, OneShotLabelChangesKeepTheProblem) {
  for (const std::string label : {"12.7", "4", "9292725", "929725"})
    expect_settings(label, resolved({kBase + "pi1", "one_shot/label/" + label}),
                    merged(kOneShot, {{"data.train_files", "[data/one_shot/pi1_r128.parquet]"},
                                      {"data.labels", "[\"124=" + label + "\"]"}}));
}

// arXiv 2504.20571, Table 3: the rows of DSR-sub that the ranking by the real history names.
TEST(Presets, OneShotOnOtherExamplesHasTheirRows) {
  const std::map<std::string, std::string> indices = {
      {"pi2", "267"},    {"pi4", "931"},    {"pi7", "568"},    {"pi11", "875"},
      {"pi16", "50"},    {"pi17", "870"},   {"pi605", "60"},   {"pi606", "906"},
      {"pi1201", "847"}, {"pi1207", "174"}, {"pi1208", "770"}, {"pi1209", "789"}};
  Settings one_shot = kOneShot;
  one_shot["data.train_files"] = "[data/one_shot/dsr_sub.parquet]";
  for (const auto& [name, index] : indices)
    expect_settings(
        name, resolved({kBase + "pi1", "one_shot/example/" + name}),
        merged(one_shot, {{"data.ids", "[\"" + index + "\"]"}, {"data.repeat", "128"}}));
  expect_settings("two", resolved({kBase + "pi1", "one_shot/example/pi1_pi2"}),
                  merged(one_shot, {{"data.ids", "[\"124\", \"267\"]"}, {"data.repeat", "64"}}));
  const std::string first_16 =
      "124, 267, 531, 931, 212, 25, 568, 131, 649, 724, 875, 925, 682, 100, 291, 50";
  std::string quoted;
  std::istringstream words(first_16);
  for (std::string word; words >> word;) {
    if (word.back() == ',') word.pop_back();
    quoted += concat(quoted.empty() ? "" : ", ", "\"", word, "\"");
  }
  expect_settings("sixteen", resolved({kBase + "pi1", "one_shot/example/pi1_to_16"}),
                  merged(one_shot, {{"data.ids", "[" + quoted + "]"}, {"data.repeat", "8"}}));
  expect_settings("random sixteen", resolved({kBase + "pi1", "one_shot/example/random_16"}),
                  merged(one_shot, {{"data.repeat", "8"}}));
}

TEST(Presets, OneShotNoiseAndPromptAreThePapers) {
  for (const auto& [name, share] : std::map<std::string, std::string>{{"60", "0.6"}, {"90", "0.9"}})
    for (const std::string base : {"dsr_sub", "dsr_sub-ppo"})
      expect_settings(name + base, resolved({kBase + base, "one_shot/noise/" + name}),
                      {{"data.label_noise", share},
                       {"data.train_files", "[data/one_shot/dsr_sub.parquet]"},
                       {"data.ids", "[]"}});
  const Settings cube_root = resolved({kBase + "pi1", "one_shot/prompt/cube_root"});
  expect_settings("cube root", cube_root,
                  merged(kOneShot, {{"data.train_files", "[data/one_shot/pi1_r128.parquet]"}}));
  EXPECT_NE(cube_root.at("data.prompts").find("124=Calculate $\\"), std::string::npos)
      << cube_root.at("data.prompts");
}

TEST(Presets, OneShotOnOtherModels) {
  struct Row {
    std::string file, model, steps, length;
  };
  const std::vector<Row> rows = {
      {"qwen2.5-math-7b", "Qwen2.5-Math-7B", "1000", "3072"},
      {"llama-3.2-3b-instruct", "Llama-3.2-3B-Instruct", "1000", "3072"},
      {"deepseek-r1-distill-qwen-1.5b", "DeepSeek-R1-Distill-Qwen-1.5B", "1200", "8192"},
      {"qwen2.5-1.5b", "Qwen2.5-1.5B", "2000", "3072"},
      {"qwen2.5-math-1.5b-instruct", "Qwen2.5-Math-1.5B-Instruct", "2000", "3072"}};
  for (const Row& row : rows)
    expect_settings(row.file, resolved({kBase + "pi1", "one_shot/model/" + row.file}),
                    merged(kOneShot, {{"model.path", "models/" + row.model},
                                      {"trainer.total_steps", row.steps},
                                      {"rollout.max_new_tokens", row.length}}));
}

// The public facts of the models, in tests/data, give the published numbers of parameters.
TEST(Presets, ShapesOfTheModelsAreKnown) {
  const std::vector<std::pair<std::string, std::string>> models = {
      {"Qwen2.5-7B", "7615616512"},
      {"Qwen2.5-32B", "32763876352"},
      {"Qwen2.5-1.5B", "1543714304"},
      {"Qwen2.5-Math-1.5B", "1543714304"},
      {"Qwen2.5-Math-1.5B-Instruct", "1543714304"},
      {"Qwen2.5-Math-7B", "7615616512"},
      {"DeepSeek-R1-Distill-Qwen-1.5B", "1777088000"},
      {"Llama-3.2-3B-Instruct", "3212749824"}};
  for (const auto& [name, parameters] : models) {
    const ProgramResult result = run_config_only(
        {"train", "--config", source_path("configs/" + kBase + "pi1.yaml"),
         "model.path=models/" + name, "--model-shape", source_path("tests/data/models/" + name)});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.err.find(" " + parameters + " parameters"), std::string::npos)
        << name << ": " << result.err;
    EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
  }
}

TEST(Presets, ConfigOnlySaysWhatItDidNotCheck) {
  const std::string preset = source_path("configs/" + kBase + "pi1.yaml");
  const ProgramResult result = run_config_only({"train", "--config", preset});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const std::string word : {"unknown shape", "Not checked", "weights", "tokenizer",
                                 "data/one_shot/pi1_r128.parquet", "1 update per rollout step"})
    EXPECT_NE(result.err.find(word), std::string::npos) << "no '" << word << "': " << result.err;
  // A fault is one all the same, and the resolved copy reads back as itself.
  EXPECT_EQ(run_config_only({"train", "--config", preset, "rollout.n=0"}).status, 2);
  const std::string copy = temporary_dir("presets") + "/resolved.yaml";
  std::ofstream(copy) << result.out;
  EXPECT_EQ(run_config_only({"train", "--config", copy}).out, result.out);
  // The shape of another model is no substitute for a model in a real run.
  const ProgramResult misused = run_covrl({"train", "--config", preset, "--model-shape", "x"});
  EXPECT_EQ(misused.status, 2);
  EXPECT_NE(misused.err.find("--config-only"), std::string::npos) << misused.err;
}

}  // namespace
}  // namespace covrl::testing
