// Batches: the rows of a data set in shuffled batches, epoch after epoch.
//
// Batch (epoch, step) is a pure function of the seed: epoch e takes the rows in the permutation
// that the stream ("batches", e) of the seed draws. So a run that is resumed at any step sees what
// the unbroken run would have seen, and there is no state to save.
#pragma once

#include <cstdint>

#include "data/dataset.h"

namespace clade::data {

// into[i] = from[rows[i]] for i64 rows (b); `into` is (b, ...) as a row of `from` and dense like
// it. What a training loop calls each step: it allocates nothing where `from` is dense. Throws
// Error on a row that is not there.
void gather_rows(const Tensor& from, const Tensor& rows, Tensor& into);
Tensor gather_rows(const Tensor& from, const Tensor& rows);

struct BatchOptions {
  int64_t size = 128;
  uint64_t seed = 0;
  bool shuffle = true;        // else the rows in their order, each epoch
  bool drop_partial = false;  // leave out the last batch of an epoch where it is not full
  Device device = {};         // where a batch's values and mask are put
};

struct Batch {
  Tensor rows;    // i64 (b): which rows these are; on the CPU
  Tensor values;  // (b, ...) as a row of the data set
  Tensor mask;    // the same shape; undefined where the data set is complete
};

class Batches {
 public:
  // Shares d's values and mask, never its labels. Throws Error when size is below 1, or
  // when dropping the partial batch would leave none.
  Batches(const Dataset& d, const BatchOptions& options);

  int64_t per_epoch() const { return steps_; }
  int64_t rows() const { return values_.size(0); }
  // Batch `step` in 0 .. per_epoch() - 1 of `epoch` >= 0.
  Batch at(int64_t epoch, int64_t step);

 private:
  Tensor values_, mask_;
  BatchOptions options_;
  int64_t steps_;
  Tensor order_;  // the permutation of epoch_, kept since the steps of an epoch share it
  int64_t epoch_ = -1;
};

}  // namespace clade::data
