// Publishing weights: a version and a checksum travel with every set of weights, and no rank
// samples with weights whose checksum it has not confirmed.
#pragma once

#include <cstdint>

#include "core/metrics.h"
#include "policy/model.h"
#include "rl/cluster.h"

namespace covrl {

// Over the bytes of all parameters in order.
uint64_t weights_checksum(const Model& model);

class WeightSync {
 public:
  WeightSync(Cluster& cluster, Model& model, int64_t version)
      : cluster_(cluster), model_(model), version_(version) {}

  // Collective. Split: broadcasts the learners' weights to the samplers. Then compares the
  // checksums of all ranks; a rank that differs throws Error(kRuntime) on every rank, naming the
  // ranks. Counts the version up.
  void publish();
  int64_t version() const { return version_; }
  void report(Metrics& metrics) const;  // sync/weights_version, sync/checksum_ok

 private:
  void compare_checksums() const;

  Cluster& cluster_;
  Model& model_;
  int64_t version_;
};

}  // namespace covrl
