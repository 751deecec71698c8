// clade ops: the table of differentiable ops as a page of Markdown; docs/ops.md is its output.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/commands.h"
#include "autograd/op.h"

namespace clade::apps {

void add_ops(CLI::App& program) {
  CLI::App* command = program.add_subcommand("ops", "print the table of differentiable ops");
  command->footer("Example:\n  clade ops > docs/ops.md");
  command->callback([] { std::fputs(op_table_markdown().c_str(), stdout); });
}

}  // namespace clade::apps
