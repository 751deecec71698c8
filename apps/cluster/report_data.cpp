#include "apps/cluster/report_data.h"

#include "apps/cli/table.h"
#include "apps/versions.h"

namespace clade::apps {
namespace {

std::vector<Fact> key_figures(const Outcome& o) {
  std::vector<Fact> out;
  for (const MethodScores& m : o.methods)
    if (m.scored && m.key != "kmeans") out.push_back({"accuracy of " + m.name, fixed(m.acc)});
  if (out.empty()) out.push_back({"points", grouped(o.seen.size())});
  if (const MethodScores* hdbscan = find_method(o.methods, "hdbscan")) {
    out.push_back({"clusters that HDBSCAN found", std::to_string(hdbscan->clusters)});
    out.push_back({"left out as noise", percent(hdbscan->noise)});
  }
  return out;
}

std::vector<NoiseTreatment> treatments(const MethodScores& m) {
  if (!m.treatments) return {};
  const cluster::NoiseAccuracy& t = *m.treatments;
  return {
      {"strict", t.strict, "ACC when noise is always wrong"},
      {"noise as a cluster", t.as_cluster,
       "ACC when noise is one more cluster, which may win a class"},
      {"soft", t.soft, "ACC when each noise point goes to the cluster it belongs to most"},
      {"labelled only", t.labelled,
       text("ACC among the ", percent(t.labelled_fraction), " of points that are in a cluster")}};
}

TreeReport tree(const cluster::HdbscanResult& h) {
  return {h.condensed.parent, h.condensed.child, h.condensed.size, h.condensed.lambda, h.selected};
}

std::vector<Fact> settings(const Outcome& o) {
  std::vector<Fact> out{{"seed", std::to_string(o.used.seed)},
                        {"threads", std::to_string(*o.used.threads)},
                        {"device", o.used.device}};
  for (const Fact& f : versions()) out.push_back(f);
  return out;
}

}  // namespace

std::string describe_data(const data::Dataset& seen) {
  const View& v = seen.values.view();
  std::string out = grouped(seen.size());
  if (seen.is_images())
    out.append(text(" images of ", v.shape[1] > 1 ? text(v.shape[1], " x ") : "", v.shape[2], " x ",
                    v.shape[3]));
  else
    out.append(text(" rows of ", v.shape[1], v.shape[1] == 1 ? " value" : " values"));
  if (seen.labels.defined()) out.append(text(" in ", seen.labels.classes(), " classes"));
  if (const double rate = data::missing_rate(seen); rate > 0)
    out.append(text(", ", percent(rate), " of the values missing"));
  return out;
}

std::string describe_model(const ClusterOptions& used, const Tensor& latent) {
  std::string out;
  if (used.epochs)
    out = text(*used.model, ", ", *used.epochs, *used.epochs == 1 ? " epoch, " : " epochs, ");
  else
    out = *used.model == "none" ? "no model, " : text(*used.model, ", ");
  out.append(text(latent.size(1), " features"));
  if (used.umap_dim > 0)
    out.append(
        text("; UMAP to ", used.umap_dim, used.umap_dim == 1 ? " dimension" : " dimensions"));
  return out;
}

ReportData report_data(const Outcome& o) {
  ReportData d;
  d.title = o.seen.name;
  d.summary =
      text(describe_data(o.seen), "; ", describe_model(o.used, o.representation.latent), ".");
  d.command = command_line(o.given);
  d.full_command = o.scaled_down.full_command;
  if (!o.scaled_down.what.empty()) {
    std::string note = "Scaled down: ";
    for (const std::string& what : o.scaled_down.what)
      note.append(&what == o.scaled_down.what.data() ? "" : ", ").append(what);
    d.notes.push_back(note + ".");
  }
  d.notes.insert(d.notes.end(), o.notes.begin(), o.notes.end());
  d.figures = key_figures(o);
  d.settings = settings(o);
  d.times = o.times;
  d.seed = uint64_t(o.used.seed);
  d.embedding = o.clusterings.embedding;
  if (o.seen.labels.defined()) {
    d.classes = o.seen.labels.ids();
    d.class_names = o.seen.labels.names();
  }
  for (const MethodScores& m : o.methods) {
    MethodReport method{m.key, m.name, m.labels, {}, treatments(m)};
    if (m.scored) method.scores = {{"ACC", m.acc}, {"NMI", m.nmi}, {"ARI", m.ari}, {"AMI", m.ami}};
    d.methods.push_back(method);
  }
  if (o.clusterings.hdbscan.labels.defined()) d.tree = tree(o.clusterings.hdbscan);
  d.loss = o.representation.loss;
  if (o.seen.is_images()) {
    d.images = o.complete;
    d.mask = o.seen.mask;
    d.sample_rows = o.sample_rows;
    d.reconstructions = o.representation.reconstructions;
  }
  return d;
}

}  // namespace clade::apps
