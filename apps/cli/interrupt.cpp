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

Interruptible::Interruptible()
    : on_interrupt_(std::signal(SIGINT, handle)), on_terminate_(std::signal(SIGTERM, handle)) {}

Interruptible::~Interruptible() {
  std::signal(SIGINT, on_interrupt_);
  std::signal(SIGTERM, on_terminate_);
}

int interrupted() { return caught; }

}  // namespace clade::apps
