// clade gmm: a Gaussian mixture of the rows of a file.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/cli/interrupt.h"
#include "apps/cli/limits.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/typed.h"
#include "apps/commands.h"
#include "apps/partition/partition.h"
#include "apps/stopwatch.h"
#include "clustering/mixture/missing.h"
#include "tensor/npy.h"

namespace clade::apps {
namespace {

struct GmmCommand {
  PartitionOptions common;
  std::string covariance = "full", init = "k-means", precision = "f64";
  std::optional<std::string> labels;
  double tol = 1e-3, reg_covar = 1e-6;
};

cluster::Covariance kind_of(const std::string& name) {
  using cluster::Covariance;
  if (name == "tied") return Covariance::tied;
  if (name == "diagonal") return Covariance::diagonal;
  return name == "spherical" ? Covariance::spherical : Covariance::full;
}

// Responsibilities of 0 and 1 from labels in a file.
Tensor responsibilities(const std::string& file, int64_t n, int64_t k) {
  const Tensor labels = load_npy(file);
  if (!(labels.shape() == Shape{n}) || is_floating(labels.dtype()))
    fail("--labels", text("whole numbers (n) = ", Shape{n}, " in ", file), text(labels));
  Tensor r = Tensor::zeros({n, k}, DType::f64);
  const std::vector<int64_t> of = labels.to_vector<int64_t>();
  for (int64_t i = 0; i < n; i++) {
    if (of[size_t(i)] < 0 || of[size_t(i)] >= k)
      fail("--labels", text("labels from 0 to ", k - 1), text(of[size_t(i)], " in row ", i));
    r.data<double>()[i * k + of[size_t(i)]] = 1;
  }
  return r;
}

cluster::Gmm fit(const GmmCommand& c, const PartitionInput& input, int64_t k,
                 const Progress& progress) {
  using Init = cluster::GmmOptions::Init;
  const PartitionOptions& o = c.common;
  cluster::GmmOptions options;
  options.k = k;
  options.covariance = kind_of(c.covariance);
  options.init = c.init == "random" ? Init::random : c.init == "rows" ? Init::rows : Init::kmeans;
  if (c.labels) options.responsibilities = responsibilities(*c.labels, input.rows.size(0), k);
  options.n_init = int(o.n_init);
  options.max_iter = int(o.max_iter);
  options.tol = c.tol;
  options.reg_covar = c.reg_covar;
  options.seed = uint64_t(o.rows.seed);
  options.products = c.precision == "f32" ? DType::f32 : DType::f64;
  return input.holes ? cluster::fit_gmm_with_holes(input.rows, options, progress)
                     : cluster::fit_gmm(input.rows, options, progress);
}

Tensor likelihoods(const cluster::Gmm& gmm, const Tensor& rows) {
  return has_holes(rows) ? cluster::log_likelihood_with_holes(gmm, rows)
                         : cluster::log_likelihood(gmm, rows);
}
Tensor probabilities(const cluster::Gmm& gmm, const Tensor& rows) {
  return has_holes(rows) ? cluster::predict_proba_with_holes(gmm, rows)
                         : cluster::predict_proba(gmm, rows);
}

// The likeliest components, given the probabilities (n, k) and ln p (n) of some rows.
Labelled labelled(const Tensor& probabilities, const Tensor& log_p) {
  const int64_t n = probabilities.size(0), k = probabilities.size(1);
  Labelled out{Tensor::empty({n}, DType::i32), {}};
  Values probability{"probability", {}};
  for (int64_t i = 0; i < n; i++) {
    const double* row = probabilities.data<double>() + i * k;
    const double* best = std::max_element(row, row + k);
    out.labels.data<int32_t>()[i] = int32_t(best - row);
    probability.values.push_back(*best);
  }
  out.columns = {probability, {"log_likelihood", log_p.to_vector<double>()}};
  return out;
}

struct Criteria {
  double likelihood, aic, bic;  // ln L of all rows
};
Criteria criteria(const cluster::Gmm& gmm, const Tensor& log_p) {
  double sum = 0;
  for (double v : log_p.to_vector<double>()) sum += v;
  const double p = double(cluster::free_parameters(gmm));
  return {sum, 2 * p - 2 * sum, p * std::log(double(log_p.numel())) - 2 * sum};
}

// AIC and BIC over the number of components.
Sweep sweep_of(const GmmCommand& c, const PartitionInput& input, const Progress& progress) {
  return sweep_over(
      c.common,
      {"Numbers of components",
       "Information criteria weigh the likelihood against the number of parameters; the lowest is "
       "the best, and BIC asks for fewer components than AIC.",
       "components",
       {},
       {{"BIC", {}}, {"AIC", {}}}},
      [&](int64_t k) {
        const cluster::Gmm gmm = fit(c, input, k, progress);
        const Criteria found = criteria(gmm, likelihoods(gmm, input.rows));
        return std::vector{found.bic, found.aic};
      });
}

void run_gmm(const GmmCommand& c) {
  const PartitionOptions& o = c.common;
  if (c.labels && !o.sweep.empty())
    fail("--sweep", "starts that fit any number of components", "--labels", "leave one out");
  const PartitionInput input = load_partition(o);
  const std::string folder = output_folder(o.rows, "gmm");
  ProgressLine line(o.rows.quiet);
  Partition p;
  cluster::Gmm gmm;
  {
    const Interruptible asked;
    p.watch.start("fit");
    gmm = fit(c, input, o.k, line.progress());
    p.watch.start("sweep");
    p.sweep = sweep_of(c, input, line.progress());
  }
  p.watch.stop();
  line.finish();
  const Tensor r = probabilities(gmm, input.rows), log_p = likelihoods(gmm, input.rows);
  const Criteria found = criteria(gmm, log_p);
  save_npy(folder + "/probabilities.npy", r);
  save_npy(folder + "/weights.npy", gmm.weights);
  save_npy(folder + "/means.npy", gmm.means);
  save_npy(folder + "/covariances.npy", gmm.covariances);
  p.filled = input.holes ? cluster::fill_holes(gmm, input.rows) : input.rows;
  discard(folder, {"filled.npy"});
  if (input.holes) save_npy(folder + "/filled.npy", p.filled);

  p.rows = labelled(r, log_p);
  if (input.fresh.defined())
    p.fresh = labelled(probabilities(gmm, input.fresh), likelihoods(gmm, input.fresh));
  p.command = "gmm", p.name = "Gaussian mixture";
  p.told = {{"components", text(o.k, ", ", c.covariance)},
            {"ln L a row", fixed(found.likelihood / double(r.size(0)), 4)},
            {"BIC", fixed(found.bic, 1)},
            {"AIC", fixed(found.aic, 1)},
            {"iterations", text(gmm.iterations, gmm.converged ? "" : ", not converged")}};
  p.figures = {{"components", o.k},
               {"covariance", c.covariance},
               {"lower_bound", gmm.lower_bounds.back()},
               {"log_likelihood", found.likelihood / double(r.size(0))},
               {"bic", found.bic},
               {"aic", found.aic},
               {"iterations", gmm.iterations},
               {"converged", gmm.converged}};
  p.files = "probabilities.npy, means.npy, ...";
  finish_partition(o, input, p, folder);
}

}  // namespace

void add_gmm(CLI::App& program) {
  CLI::App* command = program.add_subcommand("gmm", "a Gaussian mixture of a file's rows");
  auto c = std::make_shared<GmmCommand>();
  c->common.max_iter = 100;  // as fit_gmm() has it
  add_partition_options(*command, c->common, "components");
  auto word = [&](const char* name, std::string& value, OneOf words, const char* help) {
    command->add_option(name, value, help)
        ->check(validator(words))
        ->type_name("NAME")
        ->capture_default_str()
        ->take_last();
  };
  auto number = [&](const char* name, double& value, const char* help) {
    command->add_option(name, value, help)
        ->check(validator(Numbers{.low = 0, .whole = false}))
        ->type_name("X")
        ->capture_default_str()
        ->take_last();
  };
  word("--covariance", c->covariance, {{"full", "tied", "diagonal", "spherical"}},
       "full, tied (one matrix for all), diagonal or spherical");
  word("--init", c->init, {{"k-means", "random", "rows"}},
       "start from k-means, random responsibilities or random rows as means");
  command->add_option("--labels", c->labels, "start from these labels (rows), a .npy of integers")
      ->type_name("FILE")
      ->excludes(command->get_option("--init"))
      ->take_last();
  word("--precision", c->precision, {{"f64", "f32"}}, "of EM's products; f32 takes half the time");
  number("--tol", c->tol, "stop when the mean log-likelihood changes by less");
  number("--reg-covar", c->reg_covar, "added to every variance");
  command->footer(
      "The folder then holds labels.csv (row, component, probability, ln p), labels.npy,\n"
      "probabilities.npy (rows, components), weights.npy, means.npy, covariances.npy and "
      "report.html.\n"
      "Missing values are integrated over; filled.npy then holds their expectations.\n"
      "\nExamples:\n"
      "  clade gmm points.npy -k 5\n"
      "  clade gmm table.csv --label-column species --scale -k 3 --sweep 1,2,3,4,5,6");
  command->callback([c, command] {
    c->common.rows.typed = typed_command(*command);
    run_gmm(*c);
  });
}

}  // namespace clade::apps
