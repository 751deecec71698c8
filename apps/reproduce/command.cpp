// clade reproduce: the tables of the papers, run and set beside what they print.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/cluster/run_folder.h"
#include "apps/commands.h"
#include "apps/commit.h"
#include "apps/reproduce/outcome.h"
#include "apps/reproduce/page.h"
#include "tensor/file.h"
#include "tensor/parallel.h"

namespace clade::apps {
namespace {

struct ReproduceOptions {
  std::vector<std::string> tables;
  std::string scale = "full", device = "cpu", results = "runs/reproduce", data_dir;
  std::string data_set, on;
  int64_t seeds = 3;
  std::optional<int64_t> threads;
  bool list = false, no_run = false, quiet = false;
};

// A name, the beginning of some ("P3"), all, or a file of one's own.
std::vector<Table> chosen(const Definitions& known, const std::vector<std::string>& wanted) {
  std::vector<Table> out;
  for (const std::string& name : wanted) {
    if (name.ends_with(".json")) {
      out.push_back(load_table(name, known));
      continue;
    }
    const size_t before = out.size();
    std::vector<std::string> names;
    for (const Table& t : known.tables) {
      names.push_back(t.name);
      if (name == t.name || name == t.paper || name == "all") out.push_back(t);
    }
    if (out.size() > before) continue;
    const std::string best = nearest(name, names);
    fail("reproduce", "a table that `clade reproduce --list` names, or P0 to P4, or all",
         text("'", name, "'"), best.empty() ? "" : text("did you mean ", best, "?"));
  }
  return out;
}

// Only the entries on one data set.
void keep_data(std::vector<Table>& tables, const std::string& data) {
  std::vector<std::string> named;
  for (Table& t : tables) {
    for (const Entry& e : t.entries)
      if (std::find(named.begin(), named.end(), e.data) == named.end()) named.push_back(e.data);
    std::erase_if(t.entries, [&](const Entry& e) { return e.data != data; });
  }
  std::erase_if(tables, [](const Table& t) { return t.entries.empty(); });
  if (!tables.empty()) return;
  const std::string best = nearest(data, named);
  fail(
      "--data-set", text("one of ", named, ", which these tables name"), text("'", data, "'"),
      best.empty() ? "for the same systems on other data: --on" : text("did you mean ", best, "?"));
}

// The same systems on other data: nothing is published of it.
void move_to(std::vector<Table>& tables, const std::string& data) {
  for (Table& t : tables) {
    t.name.append(text(" on ", std::filesystem::path(data).stem().string()));
    std::vector<Entry> kept;
    for (Entry e : t.entries) {
      e.data = data, e.subset = "all", e.train_on.clear(), e.limit = 0, e.notes.clear();
      for (Target& target : e.targets)
        target.printed.clear(), target.value.reset(), target.sd.reset();
      const bool again = std::any_of(kept.begin(), kept.end(), [&](const Entry& other) {
        return other.system == e.system && other.variant == e.variant && other.run == e.run;
      });
      if (!again && !e.run.empty()) kept.push_back(e);
    }
    t.entries = kept;
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(text(out.empty() ? "" : ", ", word));
  return out;
}

// The runs of an entry, or in `status` why there are none.
EntryResult planned(const Entry& entry, const ReproduceOptions& o) {
  EntryResult e;
  e.entry = entry;
  if (entry.run.empty()) {
    e.status = "not a figure that a run gives";
    return e;
  }
  if (const auto missing = not_there(entry); !missing.empty()) {
    e.status = text("not run: Clade does not have ", joined(missing), " yet");
    return e;
  }
  e.status = why_absent(entry.data, o.data_dir);
  if (!e.status.empty()) return e;
  std::vector<std::string> keys;
  for (int64_t seed = 1; seed <= std::max(o.seeds, o.scale == "full" ? entry.seeds : 0); seed++) {
    Run run = plan(entry, uint64_t(seed), {o.scale == "quick"});
    run.rows.standard = !o.on.empty();
    const std::string key = run.key();
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;  // nothing is random
    keys.push_back(key);
    e.runs.push_back(std::move(run));
  }
  return e;
}

std::vector<std::string> measures_of(const Entry& entry) {
  std::vector<std::string> out;
  for (const Target& t : entry.targets) out.push_back(t.measure);
  return out;
}

std::vector<Picture> pictures_of(const TableResult& t, const Results& results,
                                 const std::string& data_dir) {
  std::vector<Picture> out;
  std::vector<std::string> drawn;
  for (const EntryResult& e : t.entries) {
    if (e.records.empty()) continue;
    const Run& run = e.runs.front();
    if (std::find(drawn.begin(), drawn.end(), run.key()) != drawn.end()) continue;
    drawn.push_back(run.key());
    const Tensor points = results.picture(run);
    if (!points.defined()) continue;
    const Subject subject = load_subject(run.rows, data_dir);
    out.push_back({text(e.entry.system, " on ", e.entry.data, ", seed ", run.seed),
                   subject.labels.defined() ? draw_points(points, subject.labels.ids()) : "",
                   draw_points(points, results.labels(run))});
  }
  return out;
}

void write_table(const TableResult& t, const Results& results, const std::string& data_dir) {
  std::string name = t.table.name;
  std::replace(name.begin(), name.end(), ' ', '-');
  const std::string file = text(results.folder(), "/", name, t.scale.quick ? "-quick" : "");
  write_file_atomically(file + ".json", as_json(t));
  write_file_atomically(file + ".md", as_markdown(t));
  write_file_atomically(file + ".html", as_page(t, pictures_of(t, results, data_dir)));
}

void list_tables(const Definitions& known, const std::vector<Table>& tables,
                 const ReproduceOptions& o) {
  std::vector<Row> rows{{"table", "paper", "what it shows", "figures", "can be run"}};
  for (const Table& t : tables) {
    int64_t figures = 0, can = 0;
    for (const Entry& e : t.entries) {
      const bool runs = planned(e, o).status.empty();
      figures += int64_t(e.targets.size());
      can += runs ? int64_t(e.targets.size()) : 0;
    }
    rows.push_back({t.name, text(t.where, " of ", t.paper), t.title, std::to_string(figures),
                    std::to_string(can)});
  }
  std::fputs(aligned(rows, "lllrr").c_str(), stdout);
  if (tables.size() == known.tables.size()) return;
  for (const Table& t : tables) {
    std::vector<Row> entries{{"system", "data", "variant", "run", ""}};
    for (const Entry& e : t.entries)
      entries.push_back({e.system, e.data, e.variant, e.run, planned(e, o).status});
    std::printf("\n%s", aligned(entries, "lllll").c_str());
  }
}

class Session {
 public:
  explicit Session(const ReproduceOptions& o) : o_(o), results_(o.results, o.data_dir) {}

  // Exit code: 1 where a run failed.
  int run(const std::vector<Table>& tables) {
    std::vector<TableResult> all;
    for (const Table& table : tables) {
      TableResult t;
      t.table = table, t.scale = {o_.scale == "quick"}, t.commit = commit(),
      t.machine = machine_name();
      for (const Entry& entry : table.entries) t.entries.push_back(planned(entry, o_));
      number_footnotes(t);
      all.push_back(std::move(t));
    }
    count(all);
    for (TableResult& t : all) {
      try {
        for (EntryResult& e : t.entries) fill(e);
      } catch (const Cancelled&) {
        for (EntryResult& e : t.entries) conclude(e);
        write_table(t, results_, o_.data_dir);
        std::fputs("clade: stopped; the same command goes on where it was\n", stderr);
        throw;
      }
      write_table(t, results_, o_.data_dir);
      if (!o_.quiet) std::printf("%s%s", &t == &all[0] ? "" : "\n", as_text(t).c_str());
    }
    if (!o_.quiet) std::printf("\nfolder  %s\n", o_.results.c_str());
    return failed_ ? 1 : 0;
  }

 private:
  void count(const std::vector<TableResult>& all) {
    std::vector<std::string> keys;
    for (const TableResult& t : all)
      for (const EntryResult& e : t.entries)
        for (const Run& run : e.runs)
          if (!results_.find(run, measures_of(e.entry))) keys.push_back(run.key());
    std::sort(keys.begin(), keys.end());
    to_do_ = std::unique(keys.begin(), keys.end()) - keys.begin();
  }

  void fill(EntryResult& e) {
    const auto wanted = measures_of(e.entry);
    for (const Run& run : e.runs) {
      auto record = results_.find(run, wanted);
      if (!record && !o_.no_run) record = one(e, run, wanted);
      if (record) e.records.push_back(*record);
    }
    if (e.records.size() < e.runs.size() && e.status.empty())
      e.status =
          text("not run: ", e.runs.size() - e.records.size(), " of ", e.runs.size(), " seeds");
    conclude(e);
  }

  std::optional<Record> one(EntryResult& e, const Run& run,
                            const std::vector<std::string>& wanted) {
    if (!o_.quiet)
      std::fprintf(stderr, "run %ld of %ld: %s on %s, seed %lu\n", long(++done_), long(to_do_),
                   e.entry.run.c_str(), e.entry.data.c_str(), static_cast<unsigned long>(run.seed));
    ProgressLine line(o_.quiet);
    try {
      const Interruptible asked;
      const Record r = results_.get(run, wanted, line.progress());
      if (interrupted()) throw Cancelled("reproduce");
      return r;
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {  // the other runs are worth having all the same
      line.finish();
      failed_ = true;
      e.status = text("failed: ", error.what());
      std::fprintf(stderr, "clade: %s on %s, seed %lu: %s\n", e.entry.run.c_str(),
                   e.entry.data.c_str(), static_cast<unsigned long>(run.seed), error.what());
      return std::nullopt;
    }
  }

  const ReproduceOptions& o_;
  Results results_;
  int64_t to_do_ = 0, done_ = 0;
  bool failed_ = false;
};

void run_reproduce(const ReproduceOptions& o) {
  if (o.threads) set_threads(int(*o.threads));
  const Definitions known = load_definitions();
  if (o.tables.empty() && !o.list)
    fail("reproduce", "a table to reproduce", "none", "clade reproduce --list names them");
  std::vector<Table> tables =
      chosen(known, o.tables.empty() ? std::vector<std::string>{"all"} : o.tables);
  if (!o.data_set.empty()) keep_data(tables, o.data_set);
  if (!o.data_set.empty())
    if (const std::string why = why_absent(o.data_set, o.data_dir); !why.empty() && !o.list)
      throw Error("--data-set: " + why);
  if (!o.on.empty()) {
    load_subject({.data = o.on, .subset = "all", .train_on = ""}, o.data_dir);  // or says why not
    move_to(tables, o.on);
  }
  if (o.list) return list_tables(known, tables, o);
  Session session(o);
  if (session.run(tables)) throw Error("reproduce: some runs failed; the tables say which");
}

}  // namespace

void add_reproduce(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "reproduce", "run the tables of the papers and set them beside what is printed");
  auto o = std::make_shared<ReproduceOptions>();
  command
      ->add_option("tables", o->tables,
                   "of --list; P3 takes all of a paper, all takes all; or a file .json")
      ->type_name("TABLE");
  command->add_flag("--list", o->list, "name the tables; with a table, its systems");
  auto word = [&](const char* name, std::string& value, std::vector<std::string> words,
                  const char* help) {
    command->add_option(name, value, help)
        ->check(validator(OneOf{std::move(words)}))
        ->type_name("NAME")
        ->capture_default_str()
        ->take_last();
  };
  auto place = [&](const char* name, std::string& value, const char* kind, const char* help) {
    return command->add_option(name, value, help)->type_name(kind)->take_last();
  };
  word("--scale", o->scale, {"quick", "full"},
       "quick: 2,000 rows and little training, to see that it runs; full: as the papers");
  command->add_option("--seeds", o->seeds, "runs of each system: seeds 1, 2, ...")
      ->check(validator(Numbers{.low = 1, .high = 1000}))
      ->type_name("N")
      ->capture_default_str();
  word("--device", o->device, {"cpu"}, "what computes");
  place("--data-set", o->data_set, "NAME", "only the rows of the tables on this data set");
  place("--on", o->on, "DATA",
        "the same systems on other data: a name of `clade datasets`, a file or a folder");
  place("--results", o->results, "DIR", "where results are kept, and not made twice")
      ->capture_default_str();
  place("--data-dir", o->data_dir, "DIR", "where to look for data sets first");
  command->add_option("--threads", o->threads, "[all cores]; the results are the same")
      ->check(validator(Numbers{.low = 1, .high = kMostThreads}))
      ->type_name("N")
      ->take_last();
  command->add_flag("--no-run", o->no_run, "write the tables from what has been run");
  command->add_flag("--quiet", o->quiet, "no progress, no table");
  command->footer(
      "A stopped or killed command goes on when it is given again: every run is kept in\n"
      "DIR/runs, and tables that name the same run share it. DIR then holds, for each table,\n"
      "<table>.json, <table>.md and <table>.html.\n"
      "\nExamples:\n"
      "  clade reproduce --list\n"
      "  clade reproduce --list P3-13.1\n"
      "  clade reproduce P3-12.1 --data-set fashion-mnist --seeds 10\n"
      "  clade reproduce P3-12.1 --scale quick --on digits");
  command->callback([o] { run_reproduce(*o); });
}

}  // namespace clade::apps
