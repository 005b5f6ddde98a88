// Evaluations as people and programs read them.
#pragma once

#include <string>
#include <vector>

#include "core/jsonl.h"
#include "rl/evaluation/eval_compare.h"
#include "rl/evaluation/eval_summary.h"

namespace covrl {

// Fixed-width table: a row per set, `after` beside `before` when given (matched by name).
std::string progress_table(const std::vector<EvalResult>& before,
                           const std::vector<EvalResult>& after);

// Two tables, a row for the sampled and one for the greedy responses of each result: accuracy, and
// what the responses are like. Columns that would say nothing are left out. `by`: the field that
// the results are grouped by; empty: none.
std::string result_tables(const std::vector<EvalResult>& results, const std::string& by);
// The same for programs: an object for each row of the tables; null where there is no value.
std::vector<Json> result_rows(const std::vector<EvalResult>& results, const std::string& by);

// A row for each comparison, and below it what could not be compared.
std::string comparison_table(const std::vector<Comparison>& comparisons);
Json to_json(const Comparison& comparison);

}  // namespace covrl
