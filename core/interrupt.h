// Ctrl-C and SIGTERM: the first asks the run to end cleanly at the next step boundary, the second
// ends the process at once.
#pragma once

namespace covrl {

void install_interrupt_handlers();
bool interrupt_requested();

}  // namespace covrl
