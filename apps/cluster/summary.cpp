#include "apps/cluster/summary.h"

#include "apps/cli/progress_line.h"
#include "apps/cli/table.h"
#include "apps/cluster/report_data.h"

namespace clade::apps {
namespace {

std::string scores_table(const std::vector<MethodScores>& methods) {
  if (methods.empty()) return "no clusters were asked for\n";
  const bool scored = methods[0].scored;
  std::vector<Row> rows{{"method", "clusters", "noise"}};
  if (scored) rows[0].insert(rows[0].end(), {"ACC", "NMI", "ARI", "AMI"});
  for (const MethodScores& m : methods) {
    Row row{m.name, std::to_string(m.clusters), m.noise > 0 ? percent(m.noise) : "-"};
    if (scored) row.insert(row.end(), {fixed(m.acc), fixed(m.nmi), fixed(m.ari), fixed(m.ami)});
    rows.push_back(row);
  }
  return aligned(rows, scored ? "lrrrrrr" : "lrr");
}

std::string noise_lines(const cluster::NoiseAccuracy& t) {
  return "HDBSCAN's ACC by what becomes of the noise (above: one more cluster):\n" +
         aligned({{"  always wrong", fixed(t.strict)},
                  {"  one more cluster", fixed(t.as_cluster)},
                  {"  to the cluster it belongs to most", fixed(t.soft)},
                  {text("  left out (", percent(t.labelled_fraction), " are labelled)"),
                   fixed(t.labelled)}},
                 "lr");
}

std::string times_line(const std::vector<StageTime>& times) {
  double all = 0;
  std::string out;
  for (const StageTime& t : times) {
    all += t.seconds;
    if (t.seconds >= 0.05)
      out.append(out.empty() ? "" : ", ").append(text(t.name, " ", duration(t.seconds)));
  }
  return text("time    ", duration(all), out.empty() ? "" : text(" (", out, ")"), "\n");
}

}  // namespace

std::string summary(const Outcome& o) {
  std::string out =
      text("\n", o.seen.name, ": ", describe_data(o.seen), "\n",
           describe_model(o.used, o.representation.latent), "\n\n", scores_table(o.methods));
  const MethodScores* hdbscan = find_method(o.methods, "hdbscan");
  if (hdbscan && hdbscan->treatments && hdbscan->noise > 0)
    out.append("\n").append(noise_lines(*hdbscan->treatments));
  if (hdbscan && !o.clusterings.k)
    out.append(
        "\nHDBSCAN found no cluster, so GMM and k-means were not run: give --clusters, or a "
        "smaller "
        "--min-cluster-size\n");
  out.append("\n").append(times_line(o.times));
  out.append(text("folder  ", *o.used.out, " (open ", *o.used.out, "/report.html)\n"));
  if (!o.scaled_down.what.empty()) {
    out.append("\nScaled down:");
    for (const std::string& what : o.scaled_down.what)
      out.append(&what == o.scaled_down.what.data() ? " " : ", ").append(what);
    out.append(text(". The full run:\n  ", o.scaled_down.full_command, "\n"));
  }
  return out;
}

}  // namespace clade::apps
