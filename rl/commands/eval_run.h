// `covrl eval --run`: every checkpoint of a run on every benchmark, its responses kept as they are
// made.
#pragma once

#include <string>
#include <vector>

#include "core/comm.h"
#include "rl/commands/sampling_words.h"
#include "rl/commands/verifier_words.h"
#include "rl/evaluation/eval_rows.h"

namespace covrl {

// Collective. The responses of all steps; what `folder` (empty: RUN/evaluation) holds already of
// the same policies, made with the same settings, is not made again, but judged again where it was
// another verifier that judged. Error(kUsage) when it was made with other settings.
std::vector<EvalRow> evaluate_checkpoints(const SamplingWords& words, const VerifierWords& judge,
                                          const std::string& folder, Communicator& world);

}  // namespace covrl
