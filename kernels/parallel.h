// The tensor library's thread pool, for files without tensor headers. One source, compiled with
// OpenMP, holds the loop: a file that included ATen/Parallel.h without it would run on one thread.
#pragma once

#include <cstdint>
#include <functional>

namespace covrl::kernels {

// Calls body(begin, end) for disjoint ranges that cover 0 .. count-1, on several threads when count
// > grain; inside another parallel loop, on the calling thread.
void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

int num_threads();  // that parallel_for would use here

}  // namespace covrl::kernels
