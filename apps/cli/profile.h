// --profile FILE, the same on every command that computes: a trace of all kernels, for
// ui.perfetto.dev, and a table of them.
#pragma once

namespace CLI {
class App;
}

namespace clade::apps {

// Declares it on each command of the program, `bench kernels` and `bench roofline` excepted: those
// profile each of their kernels alone. Recording begins as a command line that asks for it is read.
void add_profile(CLI::App& program);

// To be called once the command is done, or was stopped: writes the trace that was asked for, and
// prints the table unless --quiet. Throws Error when the file cannot be written.
void finish_profile(const CLI::App& program);

}  // namespace clade::apps
