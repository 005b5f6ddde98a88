// Writes the tiny world: corpus, problem files and tokenizer. The same arguments give the same
// bytes on every machine.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/cli.h"
#include "core/error.h"
#include "core/jsonl.h"
#include "data/tiny/bpe_trainer.h"
#include "data/tiny/drills.h"
#include "data/tiny/families.h"
#include "data/tiny/habits.h"
#include "data/tiny/tokenizer_files.h"

namespace covrl::tiny {
namespace {

constexpr uint64_t kWorldSeed = 1;

// Each file draws from its own sequences, so that one may change without the others.
enum class File : uint64_t { kTrain = 1, kTest = 2, kCrossDomain = 3, kCorpus = 4 };

// The problem that one_shot.jsonl holds: a row of train.jsonl. The README says how it was chosen.
constexpr size_t kOneShotRow = 0;

// Share of corpus rows that are arithmetic drills.
constexpr double kDrillShare = 0.22;

struct Arguments {
  std::string out;
  std::string corpus;
  int64_t corpus_rows = 75000;
};

// Problems are unique over all files: what is tested is never trained on.
class World {
 public:
  Problem draw(const Family& family, Sequence& sequence) {
    while (true) {
      Problem problem = family.make(sequence);
      if (problem.answer == kConfidencePercent) continue;
      if (!taken_.contains(problem.text)) return problem;
    }
  }

  std::vector<Problem> draw_set(File file, Domain domain, size_t per_family) {
    std::vector<Problem> problems;
    for (size_t round = 0; round < per_family; ++round)
      for (size_t f = 0; f < families().size(); ++f) {
        if (families()[f].domain != domain) continue;
        Sequence sequence(kWorldSeed, Stream::kWorld, static_cast<uint64_t>(file), round,
                          static_cast<uint32_t>(f));
        problems.push_back(draw(families()[f], sequence));
        taken_.insert(problems.back().text);
      }
    return problems;
  }

 private:
  std::unordered_set<std::string> taken_;
};

std::string problem_rows(const std::string& prefix, const std::vector<Problem>& problems) {
  std::string rows;
  for (size_t i = 0; i < problems.size(); ++i) {
    const Json row = {{"id", concat(prefix, "-", i)},
                      {"problem", problems[i].text},
                      {"answer", std::to_string(problems[i].answer)},
                      {"family", problems[i].family}};
    rows += row.dump() + "\n";
  }
  return rows;
}

struct CorpusRow {
  std::string problem, completion;
};

std::vector<CorpusRow> write_corpus(World& world, int64_t num_rows) {
  std::vector<CorpusRow> rows;
  for (int64_t i = 0; i < num_rows; ++i) {
    Sequence sequence(kWorldSeed, Stream::kWorld, static_cast<uint64_t>(File::kCorpus),
                      static_cast<uint64_t>(i));
    if (sequence.uniform() < kDrillShare) {
      rows.push_back({kDrillPrompt, write_drill(sequence)});
      continue;
    }
    const Family& family = families()[sequence.below(families().size())];
    const Problem problem = world.draw(family, sequence);
    rows.push_back({problem.text, write_solution(problem, family, HabitShares{}, sequence)});
  }
  return rows;
}

std::string corpus_rows(const std::vector<CorpusRow>& rows) {
  std::string text;
  for (const CorpusRow& row : rows) {
    const Json json = {{"prompt", row.problem}, {"completion", row.completion}};
    text += json.dump() + "\n";
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> train_tokenizer(
    const std::vector<CorpusRow>& rows) {
  BpeTrainer trainer;
  for (const CorpusRow& row : rows) {
    for (const char* role : {"user\n", "assistant\n"}) trainer.add(role);
    trainer.add(row.problem);
    trainer.add(row.completion);
  }
  return trainer.merges(kNumMerges);
}

void write(const std::string& path, const std::string& content) {
  write_file_atomically(path, content);
  std::cout << path << "  " << content.size() << " bytes\n";
}

void make_world(const Arguments& arguments) {
  World world;
  const auto train = world.draw_set(File::kTrain, Domain::kMain, 8);
  const auto test = world.draw_set(File::kTest, Domain::kMain, 25);
  const auto cross = world.draw_set(File::kCrossDomain, Domain::kCross, 50);
  const std::string train_rows = problem_rows("train", train);
  write(arguments.out + "/train.jsonl", train_rows);
  write(arguments.out + "/test.jsonl", problem_rows("test", test));
  write(arguments.out + "/cross_domain.jsonl", problem_rows("cross", cross));
  size_t begin = 0;
  for (size_t row = 0; row < kOneShotRow; ++row) begin = train_rows.find('\n', begin) + 1;
  write(arguments.out + "/one_shot.jsonl",
        train_rows.substr(begin, train_rows.find('\n', begin) + 1 - begin));

  const std::vector<CorpusRow> corpus = write_corpus(world, arguments.corpus_rows);
  write(arguments.corpus, corpus_rows(corpus));
  write(arguments.out + "/init/tokenizer.json", tokenizer_json(train_tokenizer(corpus)));
  write(arguments.out + "/init/tokenizer_config.json", tokenizer_config_json());
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  cli::Parser parser("covrl_make_tiny_world", "Writes the tiny world's data and tokenizer.",
                     "covrl_make_tiny_world --out data/tiny --corpus build/tiny/corpus.jsonl");
  parser
      .option("--out", arguments.out,
              "folder of the problem files; the tokenizer goes to init/ in it")
      .required();
  parser.option("--corpus", arguments.corpus, "file for the pretraining corpus").required();
  parser.option("--corpus-rows", arguments.corpus_rows, "rows of the pretraining corpus");
  parser.parse(words);
  if (arguments.corpus_rows < 1000)
    throw_usage("--corpus-rows: too few to train a tokenizer on, value ", arguments.corpus_rows,
                ", allowed: 1000 and more");
  return arguments;
}

}  // namespace
}  // namespace covrl::tiny

int main(int argc, char** argv) {
  try {
    covrl::tiny::make_world(covrl::tiny::parse({argv + 1, argv + argc}));
    return 0;
  } catch (const covrl::cli::HelpShown&) {
    return 0;
  } catch (const covrl::Error& error) {
    std::fprintf(stderr, "covrl_make_tiny_world: %s\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "covrl_make_tiny_world: %s\n", error.what());
    return 1;
  }
}
