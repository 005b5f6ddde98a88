#include <cstdio>
#include <iostream>
#include <map>
#include <set>

#include "core/cli.h"
#include "core/error.h"
#include "core/log.h"
#include "rl/commands/commands.h"
#include "rl/commands/inputs.h"
#include "rl/commands/jsonl_output.h"
#include "rl/example_ranking.h"
#include "rollout/prompt_source.h"

namespace covrl {

namespace {

struct SelectWords {
  std::string history, method = "std", format = "table", output;
  std::vector<std::string> ranks, data;
  int64_t top = 10, repeat = 1, seed = 1;
  double accuracy = 0.5;
  DataConfig columns;
};

std::vector<std::string> method_words() {
  std::vector<std::string> words;
  for (const auto& [word, method] : ranking_methods()) words.push_back(word);
  return words;
}

void check_words(const SelectWords& words) {
  if (words.top < 1) throw_usage("--top is ", words.top, "; at least 1");
  if (words.repeat < 1) throw_usage("--repeat is ", words.repeat, "; at least 1");
  if (words.seed < 0) throw_usage("--seed is ", words.seed, "; 0 or more");
  if (!(words.accuracy >= 0 && words.accuracy <= 1))
    throw_usage("--accuracy is ", words.accuracy, "; it is a number in [0, 1]");
  const SelectWords untouched;
  if (words.accuracy != untouched.accuracy && words.method != "nearest")
    throw_usage("--accuracy ", words.accuracy, " is of --method nearest; --method is ",
                words.method);
  if (words.seed != untouched.seed && words.method != "random")
    throw_usage("--seed ", words.seed, " is of --method random; --method is ", words.method);
  if (words.top != untouched.top && !words.ranks.empty())
    throw_usage("--top ", words.top, " and --rank ", words.ranks.front(),
                " both say what to choose; give one");
  if (words.history.empty() && (words.method != "random" || words.data.empty()))
    throw_usage("--history is required, but for --method random with --data");
  const bool reads_rows = !words.data.empty() && !words.history.empty();
  if (words.output.empty() ? words.repeat > 1 || reads_rows : words.data.empty())
    throw_usage("--output writes rows of --data, --repeat times: give --data and --output");
  if (words.output.ends_with(".parquet"))
    throw_usage("--output ", words.output, ": rows are written as jsonl; choose such a name");
}

SelectWords parse_words(const std::vector<std::string>& args) {
  SelectWords words;
  cli::Parser parser(
      "covrl select",
      "Ranks training examples by what a run did with them, and writes the chosen ones as a "
      "training set.",
      "covrl select --history runs/full --method std --rank 1 --data data/tiny/train.jsonl "
      "--output one.jsonl --repeat 128");
  parser.option("--history", words.history,
                "run folder, its example_accuracy.jsonl, or {\"id\": [accuracy, ...]} as "
                "published");
  parser
      .option("--method", words.method,
              "std or variance of the history; lim (LIMR's score); by mean accuracy easiest, "
              "hardest, nearest to --accuracy; or random")
      .choices(method_words());
  parser.option("--accuracy", words.accuracy, "of --method nearest");
  parser.option("--seed", words.seed, "of --method random");
  parser.option("--top", words.top, "choose the first so many ranks");
  parser.option("--rank", words.ranks, "choose this rank instead, or A-B; may be repeated");
  parser.option("--format", words.format, "of the ranking on stdout").choices({"table", "jsonl"});
  parser.option("--data", words.data, "file with the examples' rows; may be repeated");
  parser.option("--output", words.output, "jsonl file to write the chosen rows to");
  parser.option("--repeat", words.repeat, "times that each chosen row is written");
  parser.option("--prompt-key", words.columns.prompt_key, "column of --data with the prompt");
  parser.option("--label-key", words.columns.label_key, "column of --data with the gold answer");
  parser.parse(args);
  check_words(words);
  return words;
}

InputFiles inputs_of(const SelectWords& words) {
  InputFiles inputs = {{"--history", words.history}};
  for (const std::string& file : words.data) inputs.push_back({"--data", file});
  return inputs + run_inputs("--history", words.history);
}

// Rows of --data by id: the first of each.
std::vector<std::pair<std::string, Json>> read_rows(const SelectWords& words) {
  std::vector<std::pair<std::string, Json>> rows;
  std::map<std::string, int> seen;
  read_problems(words.data, words.columns, [&](Prompt&& prompt, const Json& object) {
    if (seen[prompt.id]++ == 0) rows.emplace_back(prompt.id, object);
  });
  return rows;
}

int64_t parse_rank(const std::string& text, size_t num_ranks) {
  int64_t rank = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || rank > 1'000'000'000) rank = -1;
    if (rank < 0) break;
    rank = 10 * rank + (digit - '0');
  }
  if (rank < 1 || rank > static_cast<int64_t>(num_ranks))
    throw_usage("--rank '", text, "' must be a rank, or A-B, within 1 to ", num_ranks);
  return rank;
}

std::vector<RankedExample> choose(const std::vector<RankedExample>& ranked,
                                  const SelectWords& words) {
  if (words.ranks.empty())
    return {ranked.begin(),
            ranked.begin() + std::min(static_cast<std::ptrdiff_t>(words.top), std::ssize(ranked))};
  std::vector<RankedExample> chosen;
  std::set<int64_t> taken;
  for (const std::string& text : words.ranks) {
    const size_t dash = text.find('-');
    const int64_t first = parse_rank(text.substr(0, dash), ranked.size()),
                  last = dash == std::string::npos
                             ? first
                             : parse_rank(text.substr(dash + 1), ranked.size());
    if (last < first) throw_usage("--rank '", text, "' ends before it begins");
    for (int64_t rank = first; rank <= last; ++rank)
      if (!taken.insert(rank).second)
        throw_usage("--rank '", text, "' names rank ", rank,
                    " again; name each once, and copy with "
                    "--repeat");
    chosen.insert(chosen.end(), ranked.begin() + (first - 1), ranked.begin() + last);
  }
  return chosen;
}

void print_table(const std::vector<RankedExample>& chosen, const std::string& method) {
  std::printf("%6s  %-16s %10s %8s %8s %6s  %s\n", "rank", "id", method.c_str(), "mean", "std",
              "seen", "tied ranks");
  for (const RankedExample& example : chosen) {
    std::printf("%6lld  %-16s %10.6f %8.4f %8.4f %6lld", static_cast<long long>(example.rank),
                example.id.c_str(), example.score, example.mean, example.std,
                static_cast<long long>(example.num_seen));
    if (example.last_tied > example.first_tied)
      std::printf("  %lld-%lld", static_cast<long long>(example.first_tied),
                  static_cast<long long>(example.last_tied));
    std::printf("\n");
  }
  std::fflush(stdout);
}

void print_jsonl(const std::vector<RankedExample>& chosen, const std::string& method) {
  JsonlOutput out("");
  for (const RankedExample& example : chosen)
    out.write({{"rank", example.rank},
               {"id", example.id},
               {"method", method},
               {"score", example.score},
               {"mean", example.mean},
               {"std", example.std},
               {"seen", example.num_seen},
               {"first_tied", example.first_tied},
               {"last_tied", example.last_tied}});
}

// Says where the choice is one of several as good: some of a tie are chosen and some are not.
void report_ties(const std::vector<RankedExample>& chosen, const std::string& method) {
  std::map<std::pair<int64_t, int64_t>, int64_t> taken;  // of each tie
  for (const RankedExample& example : chosen) ++taken[{example.first_tied, example.last_tied}];
  for (const auto& [tie, count] : taken)
    if (const int64_t size = tie.second - tie.first + 1; count < size)
      log::warning(concat(count, " of the ", size, " examples at ranks ", tie.first, " to ",
                          tie.second, " are chosen, whose ", method,
                          " is equal: rounding and the order of the history decide"));
}

// The row, with the example's id where the row alone does not say it: copies are one example.
Json with_id(Json row, const std::string& id) {
  const auto own = row.find("id");
  if (own == row.end() || (own->is_string() ? own->get<std::string>() : own->dump()) != id)
    row["id"] = id;
  return row;
}

void write_rows(const std::vector<RankedExample>& chosen,
                const std::vector<std::pair<std::string, Json>>& rows, const SelectWords& words) {
  std::map<std::string, const Json*> by_id;
  for (const auto& [id, row] : rows) by_id[id] = &row;
  std::string text;
  for (const RankedExample& example : chosen) {
    const auto row = by_id.find(example.id);
    if (row == by_id.end())
      throw_usage("--data: no row of ", words.data.front(), words.data.size() > 1 ? ", ..." : "",
                  " has the id '", example.id, "' of rank ", example.rank, "; its ids are like '",
                  rows.front().first, "'. Is it the data of that history?");
    const std::string line = with_id(*row->second, example.id).dump() + "\n";
    for (int64_t copy = 0; copy < words.repeat; ++copy) text += line;
  }
  write_file_atomically(words.output, text);
  log::info(concat(words.output, ": ", chosen.size(),
                   chosen.size() == 1 ? " example x " : " examples x ", words.repeat));
}

}  // namespace

int run_select(const std::vector<std::string>& args) {
  const SelectWords words = parse_words(args);
  check_replaces_none("--output", words.output, inputs_of(words));
  RankingRule rule;
  for (const auto& [word, method] : ranking_methods())
    if (word == words.method) rule.method = method;
  rule.accuracy = words.accuracy;
  rule.seed = static_cast<uint64_t>(words.seed);
  const std::vector<std::pair<std::string, Json>> rows = read_rows(words);
  std::vector<ExampleHistory> histories;
  if (words.history.empty()) {
    for (const auto& [id, row] : rows) histories.push_back({id, {}});
  } else {
    histories = read_example_histories(words.history);
  }
  const std::vector<RankedExample> ranked = rank_examples(histories, rule);
  if (ranked.size() < histories.size())
    log::warning(concat(histories.size() - ranked.size(), " of ", histories.size(),
                        " examples have no counted sample and are not ranked"));
  if (ranked.empty()) throw_usage(words.history, ": no example has a counted sample");
  if (rule.method == RankingMethod::kLim)
    log::info(concat("lim compares the first ", lim_length(histories), " times of each example"));
  const std::vector<RankedExample> chosen = choose(ranked, words);
  if (words.format == "table") {
    print_table(chosen, words.method);
  } else {
    print_jsonl(chosen, words.method);
  }
  report_ties(chosen, words.method);
  if (!words.output.empty()) write_rows(chosen, rows, words);
  return 0;
}

}  // namespace covrl
