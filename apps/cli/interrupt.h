// Ctrl-C and the scheduler's SIGTERM ask long work to stop at its next step; a second one kills.
#pragma once

namespace clade::apps {

// While one lives, the signals are noted for interrupted() to tell; before and after they end the
// program at once. For work that asks often, and for nothing else.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  void (*on_interrupt_)(int);  // what stood before
  void (*on_terminate_)(int);
};

int interrupted();  // the signal that came, or 0

}  // namespace clade::apps
