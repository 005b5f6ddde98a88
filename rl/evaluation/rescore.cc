#include "rl/evaluation/rescore.h"

#include "core/error.h"
#include "rollout/verify_groups.h"

namespace covrl {

namespace {

// A group of one for each row, as the verifiers' threads take them.
std::vector<Group> groups_of(const std::vector<EvalRow>& rows) {
  std::vector<Group> groups(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    groups[i].prompt.gold = rows[i].gold;
    groups[i].prompt.data_source = rows[i].data_source;
    groups[i].prompt.extra_info = rows[i].extra_info;
    Trajectory& trajectory = groups[i].trajectories.emplace_back();
    trajectory.text = rows[i].response;
    trajectory.finish_reason = rows[i].finish_reason;
  }
  return groups;
}

bool differ(const Verdict& a, const Verdict& b) {
  return a.outcome != b.outcome || (a.outcome != Outcome::kFailed && a.score != b.score);
}

}  // namespace

Rescoring rescore(std::vector<EvalRow>& rows, const Verifier& verifier, const std::string& judge,
                  int num_threads) {
  std::vector<Group> groups = groups_of(rows);
  verify_groups(groups, verifier, num_threads);
  Rescoring result;
  result.num_rows = std::ssize(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    EvalRow& row = rows[i];
    const Verdict& verdict = groups[i].trajectories[0].verdict;
    if (differ(row.verdict, verdict)) {
      ++result.moves[{row.verdict.outcome, verdict.outcome}];
      result.changed.push_back(concat(row.benchmark, " ", row.id, " #", row.sample));
    }
    row.verdict = verdict;
    row.verifier = judge;
  }
  return result;
}

std::string agreement_text(const Rescoring& rescoring) {
  constexpr size_t kShown = 5;
  std::string text =
      concat(rescoring.changed.size(), " of ", rescoring.num_rows, " verdicts changed");
  std::string separator = ": ";
  for (const auto& [move, count] : rescoring.moves) {
    text +=
        concat(separator, count, " ", outcome_name(move.first), " -> ", outcome_name(move.second));
    separator = ", ";
  }
  separator = "; ";
  for (size_t i = 0; i < std::min(kShown, rescoring.changed.size()); ++i) {
    text += separator + rescoring.changed[i];
    separator = ", ";
  }
  return text + (rescoring.changed.size() > kShown ? ", ..." : "");
}

}  // namespace covrl
