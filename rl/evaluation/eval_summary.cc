#include "rl/evaluation/eval_summary.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "core/error.h"
#include "rl/evaluation/eval_statistics.h"
#include "rl/evaluation/reflection_words.h"
#include "rollout/degenerate_text.h"
#include "verifiers/boxes.h"

namespace covrl {

namespace {

// Rows of one problem, by sample.
using Problem = std::vector<const EvalRow*>;
// By id: what is added up is added in this order, whatever that of the rows.
using Problems = std::map<std::string, Problem>;

Problems problems_of(const std::vector<const EvalRow*>& rows, Decoding decoding) {
  Problems problems;
  for (const EvalRow* row : rows)
    if (row->decoding == decoding) problems[row->id].push_back(row);
  for (auto& [id, problem] : problems)
    std::stable_sort(problem.begin(), problem.end(),
                     [](const EvalRow* a, const EvalRow* b) { return a->sample < b->sample; });
  return problems;
}

struct Count {
  int64_t usable = 0, correct = 0;
  auto operator<=>(const Count&) const = default;
};

void add_accuracy(const Problems& problems, ResponseStatistics& statistics) {
  std::vector<Count> counts;
  std::vector<double> majorities;
  bool are_told = true;  // the answers: a verifier may call a response right and not say what it is
  for (const auto& [id, problem] : problems) {
    Count count;
    std::vector<Answer> answers;
    for (const EvalRow* row : problem) {
      if (!is_usable(*row)) continue;
      const bool correct = row->verdict.outcome == Outcome::kCorrect;
      ++count.usable;
      count.correct += correct;
      answers.push_back({row->verdict.extracted, correct});
      are_told = are_told && !(correct && row->verdict.extracted.empty());
    }
    if (count.usable == 0) continue;
    counts.push_back(count);
    majorities.push_back(majority_is_correct(answers));
  }
  // Sorted, so that the figures depend on what is there and not on how the problems are named.
  std::ranges::sort(counts);
  std::vector<double> shares;
  for (const Count& count : counts)
    shares.push_back(static_cast<double>(count.correct) / static_cast<double>(count.usable));
  statistics.accuracy = mean(shares);
  std::tie(statistics.low, statistics.high) = bootstrap_interval(shares);
  if (are_told) statistics.majority = mean(majorities);
  for (const int64_t k : pass_sizes(statistics.num_samples)) {
    std::vector<double> pass;
    for (const Count& count : counts)
      pass.push_back(pass_at_k(count.usable, count.correct, std::min(k, count.usable)));
    statistics.pass.emplace_back(k, mean(pass));
  }
}

void add_responses(const Problems& problems, const std::vector<std::string>& reflection_words,
                   ResponseStatistics& statistics) {
  std::vector<double> length, parsed, boxed, truncated, reflection, degenerate;
  double entropy = 0, entropy_tokens = 0;
  for (const auto& [id, problem] : problems)
    for (const EvalRow* row : problem) {
      if (!is_usable(*row)) continue;
      length.push_back(static_cast<double>(row->num_tokens));
      parsed.push_back(row->verdict.outcome != Outcome::kUnparsed);
      boxed.push_back(!find_boxes(row->response).boxes.empty());
      truncated.push_back(row->finish_reason == FinishReason::kLength);
      reflection.push_back(has_word(row->response, reflection_words));
      degenerate.push_back(is_degenerate(row->response));
      if (!row->mean_entropy) continue;
      entropy += *row->mean_entropy * length.back();
      entropy_tokens += length.back();
    }
  statistics.num_responses = static_cast<int64_t>(length.size());
  statistics.length = mean(length);
  statistics.length_90 = quantile(length, 0.9);
  statistics.parsed = mean(parsed);
  statistics.boxed = mean(boxed);
  statistics.truncated = mean(truncated);
  statistics.reflection = mean(reflection);
  statistics.degenerate = mean(degenerate);
  if (entropy_tokens > 0) statistics.entropy = entropy / entropy_tokens;
}

std::optional<ResponseStatistics> statistics_of(const Problems& problems,
                                                const std::vector<std::string>& reflection_words) {
  if (problems.empty()) return std::nullopt;
  ResponseStatistics statistics;
  for (const auto& [id, problem] : problems) {
    statistics.num_samples = std::max(statistics.num_samples, std::ssize(problem));
    statistics.num_failed += std::ssize(problem);
  }
  add_accuracy(problems, statistics);
  add_responses(problems, reflection_words, statistics);
  statistics.num_failed -= statistics.num_responses;
  return statistics;
}

const std::string* find_field(const EvalRow& row, const std::string& field) {
  for (const auto& [key, value] : row.fields)
    if (key == field) return &value;
  return nullptr;
}

using GroupOf = std::function<std::string(const EvalRow&)>;

std::vector<EvalResult> summarise_groups(const std::vector<EvalRow>& rows, const GroupOf& group_of,
                                         const std::vector<std::string>& reflection_words) {
  using Key = std::tuple<std::optional<int64_t>, std::string, std::string>;
  std::map<Key, size_t> places;
  std::vector<std::map<std::string, std::vector<const EvalRow*>>> sets;
  for (const EvalRow& row : rows) {
    const auto [place, is_new] =
        places.try_emplace({row.step, row.checkpoint, row.benchmark}, sets.size());
    if (is_new) sets.emplace_back();
    sets[place->second][group_of(row)].push_back(&row);
  }
  std::vector<EvalResult> results;
  for (const auto& groups : sets)
    for (const auto& [group, members] : groups) {
      const EvalRow& first = *members.front();
      const Problems greedy = problems_of(members, Decoding::kGreedy),
                     sampled = problems_of(members, Decoding::kSampled);
      std::set<std::string> ids;
      for (const EvalRow* row : members) ids.insert(row->id);
      results.push_back({first.benchmark, first.step, first.checkpoint, group, std::ssize(ids),
                         statistics_of(greedy, reflection_words),
                         statistics_of(sampled, reflection_words)});
    }
  return results;
}

}  // namespace

int64_t EvalResult::num_failed() const {
  return (greedy ? greedy->num_failed : 0) + (sampled ? sampled->num_failed : 0);
}

std::vector<EvalResult> summarise(const std::vector<EvalRow>& rows,
                                  const std::vector<std::string>& reflection_words) {
  return summarise_groups(
      rows, [](const EvalRow&) { return std::string(); }, reflection_words);
}

std::vector<EvalResult> summarise_by(const std::vector<EvalRow>& rows, const std::string& field,
                                     const std::vector<std::string>& reflection_words) {
  std::set<std::string> fields;
  for (const EvalRow& row : rows)
    for (const auto& [key, value] : row.fields) fields.insert(key);
  if (!fields.contains(field)) {
    std::string known;
    for (const std::string& key : fields) known += (known.empty() ? "" : ", ") + key;
    throw_usage("--by ", field, ": no problem has such a field; ",
                known.empty() ? "the data has none" : "the fields are " + known);
  }
  const GroupOf group_of = [&](const EvalRow& row) {
    const std::string* value = find_field(row, field);
    return value == nullptr || value->empty() ? std::string("-") : *value;
  };
  return summarise_groups(rows, group_of, reflection_words);
}

}  // namespace covrl
