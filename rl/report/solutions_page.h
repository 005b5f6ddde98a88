// Completions on a report's page, from the rows of samples.jsonl or eval_samples.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/jsonl.h"

namespace covrl {

// A few completions of the first and of the last step that `rows` holds, different problems first.
std::string solutions(const std::vector<Json>& rows, const std::string& title, size_t limit);

// What the policy answered to one training example over time: its first sample at the first step,
// at quarters of the run, at the step from which the run is saturated, where it is, and at the
// last. The example is the one logged in most steps. Empty when it was logged in one step only.
std::string responses_over_time(const std::vector<Json>& rows,
                                std::optional<int64_t> saturated_since, const std::string& title);

// The steps of `rows` that it shows, and the rows themselves, in order.
std::vector<const Json*> chosen_responses(const std::vector<Json>& rows,
                                          std::optional<int64_t> saturated_since);

}  // namespace covrl
