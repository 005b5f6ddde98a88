// Which implementation every op of kernels/ uses: the fast kernels, or the plain-torch oracle (to
// bisect a bad run).
#pragma once

namespace covrl::kernels {

enum class Mode { kFast, kReference };
void set_mode(Mode mode);  // process-wide; set once at start, and by tests
Mode mode();

// Threads that CPU kernels and the tensor library use; results do not depend on it.
void set_num_threads(int num_threads);

}  // namespace covrl::kernels
