// Verdicts and rewards of sampled groups.
#pragma once

#include <vector>

#include "rollout/audit.h"
#include "rollout/types.h"
#include "verifiers/verifier.h"

namespace covrl {

// Fills verdict and reward of every trajectory on `num_threads` threads; the verifier sees the
// completion's text only. The reward is the score. Where sampling or verification failed the
// outcome is kFailed, which makes the trajectory unusable: its reward means nothing. The result
// does not depend on the number of threads. A verifier that throws: rethrown here. `audit` fills
// the second verdict of those that it looks at.
void verify_groups(std::vector<Group>& groups, const Verifier& verifier, int num_threads,
                   const Audit& audit = {});

}  // namespace covrl
