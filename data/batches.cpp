#include "data/batches.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "tensor/parallel.h"
#include "tensor/random.h"

namespace clade::data {
namespace {

Layout layout_of(const Tensor& t) {
  return t.is_channels_last() ? Layout::channels_last : Layout::row_major;
}

// Rows without gaps between them; the tensor itself where it is so already.
Tensor dense(const Tensor& t) { return t.defined() ? t.to_layout(layout_of(t)) : t; }

Tensor order_of(int64_t epoch, int64_t n, const BatchOptions& options) {
  if (options.shuffle) {
    Random rng = Random(options.seed).fork("batches").fork(uint64_t(epoch));
    return permutation(n, rng);
  }
  Tensor order = Tensor::empty({n}, DType::i64);
  std::iota(order.data<int64_t>(), order.data<int64_t>() + n, int64_t{0});
  return order;
}

}  // namespace

void gather_rows(const Tensor& from, const Tensor& rows, Tensor& into) {
  if (from.rank() < 1 || rows.rank() != 1 || rows.dtype() != DType::i64 || !rows.is_contiguous())
    fail("gather_rows", "a tensor (n, ...) and rows i64 [b]", text(from, " and ", rows));
  const int64_t n = from.size(0), b = rows.size(0);
  if (!(into.shape() == from.shape().with(0, b)) || into.dtype() != from.dtype() ||
      layout_of(into) != layout_of(from) || !into.is_dense())
    fail("gather_rows", text("room for ", b, " rows of ", from), text(into));
  const Tensor whole = dense(from);
  const int64_t* row = rows.data<int64_t>();
  for (int64_t i = 0; i < b; i++)
    if (row[i] < 0 || row[i] >= n) fail("gather_rows", text("rows in 0 .. ", n - 1), text(row[i]));
  if (into.numel() == 0) return;
  const size_t bytes = size_t(into.numel() / b) * size_of(from.dtype());
  const char* source = static_cast<const char*>(whole.view().data);
  char* target = static_cast<char*>(into.view().data);
  parallel_for(b, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      std::memcpy(target + size_t(i) * bytes, source + size_t(row[i]) * bytes, bytes);
  });
  into.written_by("gather_rows");
}

Tensor gather_rows(const Tensor& from, const Tensor& rows) {
  Tensor into = Tensor::empty(from.shape().with(0, rows.numel()), from.dtype(), layout_of(from));
  gather_rows(from, rows, into);
  return into;
}

Batches::Batches(const Dataset& d, const BatchOptions& options)
    : values_(dense(d.values)), mask_(dense(d.mask)), options_(options) {
  const int64_t n = d.size(), size = options.size;
  if (n < 1) fail("Batches", "a data set with one row or more", text(d.values));
  if (size < 1 || (options.drop_partial && size > n))
    fail("Batches", options.drop_partial ? text("a batch size in 1 .. ", n) : "a size of 1 or more",
         text(size));
  options_.size = std::min(size, n);  // so that no sum below can overflow
  steps_ = options.drop_partial ? n / size : (n - 1) / options_.size + 1;
}

Batch Batches::at(int64_t epoch, int64_t step) {
  if (epoch < 0 || step < 0 || step >= steps_)
    fail("Batches", text("an epoch of 0 or more and a step in 0 .. ", steps_ - 1),
         text("epoch ", epoch, ", step ", step));
  if (epoch != epoch_) {
    order_ = order_of(epoch, rows(), options_);
    epoch_ = epoch;
  }
  Batch batch;
  const int64_t begin = step * options_.size;
  batch.rows = order_.slice(0, begin, std::min(begin + options_.size, rows()));
  batch.values = gather_rows(values_, batch.rows).to(options_.device);
  if (mask_.defined()) batch.mask = gather_rows(mask_, batch.rows).to(options_.device);
  return batch;
}

}  // namespace clade::data
