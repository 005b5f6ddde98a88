// From ranks to roles. Colocated (default): every rank samples and learns. Split (cluster.learners
// = L): ranks 0..L-1 learn and the others sample; weights go to them by broadcast. Everything is
// synchronous: both layouts give the same curves.
#pragma once

#include <memory>

#include "core/comm.h"

namespace covrl {

class Cluster {
 public:
  // Collective. Error(kUsage) when the ranks do not suffice for both roles.
  Cluster(Communicator& world, int64_t num_learners);

  Communicator& world() { return world_; }
  Communicator& learners() { return *learners_; }  // legal on learner ranks only
  bool is_split() const { return num_learners_ > 0; }
  bool learns() const { return !is_split() || world_.rank() < num_learners_; }
  bool samples() const { return !is_split() || world_.rank() >= num_learners_; }
  int num_samplers() const { return is_split() ? world_.size() - num_learners_ : world_.size(); }
  int sampler_index() const { return is_split() ? world_.rank() - num_learners_ : world_.rank(); }

 private:
  Communicator& world_;
  int num_learners_ = 0;
  std::unique_ptr<Communicator> learners_;
};

}  // namespace covrl
