#include "apps/cli/interrupt.h"

#include <csignal>

namespace clade::apps {
namespace {

volatile std::sig_atomic_t caught = 0;

// The default action is put back at once, so that a second signal ends the program.
void handle(int signal) {
  caught = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void install_interrupt_handler() {
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
}

int interrupted() { return caught; }

}  // namespace clade::apps
