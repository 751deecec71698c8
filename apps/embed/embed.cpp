#include "apps/embed/embed.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/rows/page.h"
#include "apps/stopwatch.h"
#include "tensor/file.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

std::string as_csv(const Tensor& table, const char* column) {
  const int64_t r = table.size(1);
  const std::vector<double> values = table.to_vector<double>();
  std::string out;
  for (int64_t c = 0; c < r; c++) out.append(text(c ? "," : "", column, c + 1));
  for (size_t e = 0; e < values.size(); e++) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9g", e % size_t(r) ? "," : "\n", values[e]);
    out.append(number);
  }
  return out + "\n";
}

template <class T>
void add_value(CLI::App& command, const char* name, T& value, Numbers limit, const char* help) {
  command.add_option(name, value, help)
      ->check(validator(limit))
      ->type_name(limit.whole ? "N" : "X")
      ->capture_default_str()
      ->take_last();
}

}  // namespace

void add_number(CLI::App& command, const char* name, int64_t& value, double low, const char* help) {
  add_value(command, name, value, {.low = low}, help);
}

void add_number(CLI::App& command, const char* name, double& value, double low, double high,
                const char* help) {
  add_value(command, name, value, {.low = low, .high = high, .whole = false}, help);
}

void add_word(CLI::App& command, const char* name, std::string& value, const char* words,
              const char* help) {
  std::istringstream list(words);
  const OneOf one{{std::istream_iterator<std::string>(list), {}}};
  command.add_option(name, value, text(words, ": ", help))
      ->check(validator(one))
      ->type_name("NAME")
      ->capture_default_str()
      ->take_last();
}

void add_first_layout(CLI::App& command, std::string& init, const char* words,
                      std::optional<std::string>& layout) {
  add_word(command, "--init", init, words, "the first layout");
  command
      .add_option("--layout", layout, "the first layout (rows, dimensions), a .npy of f32 or f64")
      ->type_name("FILE")
      ->excludes(command.get_option("--init"))
      ->take_last();
}

Tensor load_layout(const std::string& file, int64_t rows, int64_t dimensions) {
  Tensor layout = load_npy(file);
  const Shape expected{rows, dimensions};
  if (layout.shape() != expected || !is_floating(layout.dtype()))
    fail("--layout", text("places ", expected, " of f32 or f64 in ", file), text(layout));
  return layout;
}

void add_embed_options(CLI::App& command, EmbedOptions& o) {
  add_rows_options(command, o.rows);
  command.get_option("--seed")
      ->description("of all randomness: same seed, same result")
      ->capture_default_str();
  add_new_option(command, o.rows, "new_embedding.npy");
  command.add_flag("--csv", o.csv, "write embedding.csv too");
  command.add_flag("--no-report", o.no_report, "do not write report.html");
  command.add_flag("--json", o.json, "print the summary as JSON");
}

void run_embed(const char* command, const char* name, const EmbedOptions& o, Embed embed,
               const void* context) {
  const Rows loaded = load_rows(o.rows);
  const Tensor &rows = loaded.values, fresh = load_new_rows(o.rows, loaded);
  require_whole("--new", fresh);
  const std::string folder = output_folder(o.rows, command);
  ProgressLine line(o.rows.quiet);
  Stopwatch watch;
  watch.start(command);
  Embedded made;
  {
    const Interruptible asked;
    made = embed(context, rows, loaded.classes, line.progress());
  }
  watch.stop();
  line.finish();
  std::string written;
  auto write = [&](const std::string& stem, const Tensor& table) {
    save_npy(folder + "/" + stem + ".npy", table);
    if (o.csv) write_file_atomically(folder + "/" + stem + ".csv", as_csv(table, command));
    written += (written.empty() ? "" : ", ") + stem + ".npy" + (o.csv ? ", " + stem + ".csv" : "");
  };
  discard(folder, {"embedding.csv", "new_embedding.npy", "new_embedding.csv", "report.html"});
  write("embedding", made.table);
  if (fresh.defined()) {
    const Interruptible asked;
    const Tensor places = made.place(fresh, line.progress());
    line.finish();
    write("new_embedding", places);
  }
  const double seconds = watch.stages().front().seconds;
  const std::string figure = made.figure;
  if (!o.no_report) {
    ReportData page = rows_page(name, o.rows, rows, loaded.classes);
    page.figures = {{"dimensions", grouped(made.table.size(1))}};
    if (!figure.empty()) page.figures.push_back({figure, fixed(made.value, 4)});
    page.times = watch.stages();
    page.embedding = made.table;
    page.sweep = made.curve;
    write_file_atomically(folder + "/report.html", report_html(page));
  }
  if (o.json) {
    nlohmann::ordered_json out{{"rows", rows.size(0)}, {"columns", rows.size(1)}};
    if (fresh.defined()) out["new_rows"] = fresh.size(0);
    out.update({{"dimensions", made.table.size(1)}, {"seconds", seconds}, {"folder", folder}});
    if (!figure.empty()) out[figure] = made.value;
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  if (o.rows.quiet) return;
  std::vector<Row> told{{"rows", grouped(rows.size(0))},
                        {"columns", grouped(rows.size(1))},
                        {"dimensions", grouped(made.table.size(1))}};
  if (fresh.defined()) told.insert(told.begin() + 1, {"new rows", grouped(fresh.size(0))});
  if (!figure.empty()) told.push_back({figure, fixed(made.value, 4)});
  told.push_back({"time", duration(seconds)});
  told.push_back({"written", folder + "/" + written + (o.no_report ? "" : ", report.html")});
  std::fputs(aligned(told, "ll").c_str(), stdout);
}

}  // namespace clade::apps
