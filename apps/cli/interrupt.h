// Ctrl-C and the scheduler's SIGTERM ask long work to stop at its next step; a second one kills.
#pragma once

namespace clade::apps {

void install_interrupt_handler();
int interrupted();  // the signal that came, or 0

}  // namespace clade::apps
