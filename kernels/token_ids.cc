#include "kernels/token_ids.h"

#include <algorithm>
#include <numeric>

namespace covrl::kernels {

TokenIds::TokenIds(std::span<const int64_t> ids) {
  for (const int64_t id : ids) append(id, 1);
}

void TokenIds::append(int64_t first_id, int64_t count) {
  if (count == 0) return;
  const int64_t place = size();
  int64_t next_id = 0;  // were it of the run before
  if (place > 0) {
    const TokenRun& last = runs_[runs_.size() - 2];
    next_id = last.first_id + (place - last.begin);
    ascending_ = ascending_ && first_id >= next_id;
  }
  if (place > 0 && first_id == next_id) {
    runs_.back().begin = place + count;
    return;
  }
  runs_.back().first_id = first_id;
  runs_.push_back({place + count, 0});
}

const TokenRun* TokenIds::run_of(int64_t place) const {
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), place,
                       [](int64_t wanted, const TokenRun& run) { return wanted < run.begin; });
  return &*after - 1;
}

int64_t TokenIds::operator[](int64_t place) const {
  const TokenRun* run = run_of(place);
  return run->first_id + (place - run->begin);
}

TokenIds TokenIds::at(std::span<const int64_t> places) const {
  TokenIds result;
  for (const int64_t place : places) result.append((*this)[place], 1);
  return result;
}

std::vector<int64_t> TokenIds::column() const {
  std::vector<int64_t> ids(static_cast<size_t>(size()));
  for (size_t run = 0; run + 1 < runs_.size(); ++run)
    std::iota(ids.begin() + runs_[run].begin, ids.begin() + runs_[run + 1].begin,
              runs_[run].first_id);
  return ids;
}

}  // namespace covrl::kernels
