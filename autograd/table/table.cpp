#include "autograd/op.h"

namespace clade {

const std::vector<const Op*>& op_table() {
  static const std::vector<const Op*> table = {
#define CLADE_OP(name) &op::name,
#include "autograd/op_list.h"
#undef CLADE_OP
  };
  return table;
}

namespace {

// Inside a Markdown table cell a bar would end the cell.
std::string cell(std::string_view s) {
  std::string out;
  for (char c : s) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string op_table_markdown() {
  std::string out =
      "# The differentiable ops\n\n"
      "Printed from the op table (`autograd/table/`) by `clade ops`; a test compares this page "
      "with the\n"
      "table. Every sample is checked: gradients in f64 against central differences, linear ops by "
      "the\n"
      "adjoint identity <A x, dy> = <x, A* dy>, CPU kernels against their references, the same "
      "bits at\n"
      "1, 2 and 3 threads.\n\n"
      "| op | value | gradient | samples |\n|---|---|---|---|\n";
  for (const Op* op : op_table()) {
    out += text("| `", op->name, "` | ", cell(op->formula), " | ", cell(op->gradient), " | ");
    const char* between = "";
    for (const OpSample& sample : op->samples()) {
      if (sample.size == Size::bench) continue;
      out += text(between, sample.what);
      between = "; ";
    }
    out += " |\n";
  }
  return out;
}

}  // namespace clade
