#include "rl/greedy_baseline.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "rl/summary.h"

namespace covrl {

void add_greedy_baselines(Batch& batch, const std::vector<Group>& greedy, Metrics& metrics) {
  at::Tensor mask_T = batch.loss_mask_T.clone();
  bool* mask = mask_T.mutable_data_ptr<bool>();
  Summary summary;
  double num_failed = 0;
  size_t sequence = 0;
  for (const Group& group : greedy) {
    COVRL_CHECK(group.trajectories.size() == 1, "slot ", group.slot, " has ",
                group.trajectories.size(), " greedy completions");
    const Trajectory& trajectory = group.trajectories.front();
    const bool usable = is_usable(trajectory);
    if (usable) summary.add(trajectory.reward);
    if (!usable) num_failed += 1;
    for (; sequence < batch.sequence_ids.size() && batch.sequence_ids[sequence].slot == group.slot;
         ++sequence) {
      batch.baselines.push_back(usable ? trajectory.reward
                                       : std::numeric_limits<double>::quiet_NaN());
      if (usable) continue;
      batch.usable[sequence] = false;
      std::fill(mask + batch.cu_seqlens[sequence], mask + batch.cu_seqlens[sequence + 1], false);
    }
  }
  COVRL_CHECK(sequence == batch.sequence_ids.size(), "greedy completions for the first ", sequence,
              " of ", batch.sequence_ids.size(), " sequences");
  batch.loss_mask_T = mask_T;
  summary.write("critic/baseline", metrics);
  metrics.set("critic/baseline/failed", num_failed);
}

}  // namespace covrl
