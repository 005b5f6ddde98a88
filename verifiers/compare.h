// Whether two answers say the same.
#pragma once

#include <string_view>

namespace covrl {

// Both as normalise() writes them. Numbers by exact value; lists and sets in any order, with
// multiplicity; tuples and intervals in order, with their brackets; unions in any order; all else
// as strings, decoration aside. Bounded time.
bool answers_equal(std::string_view gold, std::string_view answer);

}  // namespace covrl
