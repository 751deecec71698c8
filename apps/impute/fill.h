// How `clade impute` fills an encoded table (data/mixed_table.h), and how far off it is.
#pragma once

#include <string>

#include "data/mixed_table.h"
#include "models/tabular_vae.h"
#include "tensor/progress.h"
#include "tensor/random.h"

namespace clade::apps {

struct Fitting {
  uint64_t seed = 1;
  std::string set;  // settings of tabular-vae, "name=value,..."
};

// Fits a method ("vae", "mean", "knn") to the table when it is made.
class Filler {
 public:
  Filler(const data::MixedTable& table, const std::string& method, const Fitting& fitting,
         const Progress& progress);
  // Encoded rows as they are to be expected; those observed may differ from what they were.
  Tensor expected(const Progress& progress);
  // Draw number `number`: observed values as they were, the others drawn. "vae" alone.
  Tensor draw(int64_t number, const Progress& progress);

 private:
  const data::MixedTable& table_;
  std::string method_;
  models::SystemPtr vae_;
};

// The table with this share of its known cells missing too, drawn cell by cell.
data::MixedTable hide_cells(const data::MixedTable& table, double rate, const Random& rng);

// Over the cells that are known in `truth` and missing in `hidden`.
struct Errors {
  int64_t numbers = 0, words = 0;  // how many of each
  double rmse = 0;                 // of numbers, in standard deviations of their columns
  double wrong = 0;                // share of words
};
Errors errors_of(const data::MixedTable& truth, const data::MixedTable& hidden,
                 const Tensor& encoded);

}  // namespace clade::apps
