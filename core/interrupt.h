// Ctrl-C and SIGTERM: the first asks the run to end cleanly at the next step boundary, the second
// ends the process at once.
#pragma once

#include "core/comm.h"

namespace covrl {

void install_interrupt_handlers();
bool interrupt_requested();
bool interrupt_requested(Communicator& ranks);  // collective: of any of them

}  // namespace covrl
