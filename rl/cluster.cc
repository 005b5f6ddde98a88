#include "rl/cluster.h"

#include "core/error.h"

namespace covrl {

Cluster::Cluster(Communicator& world, int64_t num_learners)
    : world_(world), num_learners_(static_cast<int>(num_learners)) {
  if (num_learners_ >= world.size() && is_split())
    throw_usage("cluster.learners: ", num_learners, " learner ranks of ", world.size(),
                " in all leave none to sample; start more (mpirun -n ", num_learners + 1,
                " covrl train ...), or set cluster.learners to 0 so that every rank does both");
  learners_ = world.split(learns() ? 0 : 1);
}

}  // namespace covrl
