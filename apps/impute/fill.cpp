#include "apps/impute/fill.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "clustering/neighbors/knn_imputer.h"
#include "data/imputation.h"

namespace clade::apps {
namespace {

constexpr int64_t kNeighbours = 5;

models::Rows rows_of(const data::MixedTable& t) { return {t.values, t.mask}; }

}  // namespace

Filler::Filler(const data::MixedTable& t, const std::string& method, const Fitting& fitting,
               const Progress& progress)
    : table_(t), method_(method) {
  if (method != "vae") return;
  models::Settings settings("tabular-vae", models::tabular_settings());
  settings.set_all(fitting.set);
  models::fill_tabular(settings, t.values.size(0), t.values.shape().without(0));
  const models::TableSchema schema{t.reals, t.binaries, t.categories};
  vae_ = models::SystemPtr(new models::TabularVae(schema, settings, fitting.seed));
  vae_->train(rows_of(t), {}, progress);
}

Tensor Filler::expected(const Progress& progress) {
  if (method_ == "vae") return vae_->reconstruct(rows_of(table_), progress);
  if (method_ == "mean") {
    data::Dataset d;
    d.values = table_.values, d.mask = table_.mask;
    return data::impute(d, data::Imputation::mean, Random(0)).values;
  }
  Tensor x = table_.values.clone();
  for (int64_t i = 0; i < x.numel(); i++)
    if (table_.mask.data<float>()[i] == 0)
      x.data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  return cluster::knn_impute(x, kNeighbours, progress);
}

Tensor Filler::draw(int64_t number, const Progress& progress) {
  auto& vae = static_cast<models::TabularVae&>(*vae_);
  Tensor drawn = vae.draw_rows(rows_of(table_), number, progress).contiguous();
  for (int64_t i = 0; i < drawn.numel(); i++)
    if (table_.mask.data<float>()[i] != 0) drawn.data<float>()[i] = table_.values.data<float>()[i];
  // No further out than anything that was observed.
  for (const data::MixedColumn& c : table_.columns) {
    if (c.kind != data::ColumnKind::real) continue;
    const auto low = float((c.low - c.mean) / c.deviation),
               high = float((c.high - c.mean) / c.deviation);
    for (int64_t i = c.at; i < drawn.numel(); i += drawn.size(1))
      drawn.data<float>()[i] = std::clamp(drawn.data<float>()[i], low, high);
  }
  return drawn;
}

data::MixedTable hide_cells(const data::MixedTable& t, double rate, const Random& rng) {
  data::MixedTable out = t;
  out.values = t.values.clone(), out.mask = t.mask.clone();
  const int64_t width = t.values.size(1);
  uint64_t draw = 0;
  for (int64_t i = 0; i < t.values.size(0); i++)
    for (const data::MixedColumn& c : t.columns) {
      if (c.kind == data::ColumnKind::left_out) continue;
      const bool goes = rng.uniform_at(draw++) < rate;
      const int64_t at = i * width + c.at;
      if (!goes || out.mask.data<float>()[at] == 0) continue;
      const int64_t wide = std::max<int64_t>(1, int64_t(c.words.size()));
      const int64_t columns = c.kind == data::ColumnKind::categorical ? wide : 1;
      std::fill_n(out.values.data<float>() + at, columns, 0.0f);
      std::fill_n(out.mask.data<float>() + at, columns, 0.0f);
      out.missing++;
    }
  return out;
}

Errors errors_of(const data::MixedTable& truth, const data::MixedTable& hidden,
                 const Tensor& encoded) {
  const Tensor rows = encoded.contiguous();
  const int64_t width = rows.size(1);
  Errors e;
  double squares = 0;
  int64_t wrong = 0;
  for (int64_t i = 0; i < rows.size(0); i++)
    for (const data::MixedColumn& c : truth.columns) {
      const int64_t at = i * width + c.at;
      if (c.kind == data::ColumnKind::left_out || truth.mask.data<float>()[at] == 0 ||
          hidden.mask.data<float>()[at] != 0)
        continue;
      const float *got = rows.data<float>() + at, *want = truth.values.data<float>() + at;
      if (c.kind == data::ColumnKind::real) {
        squares += std::pow(double(*got) - double(*want), 2), e.numbers++;
      } else if (c.kind == data::ColumnKind::binary) {
        wrong += (*got >= 0.5f) != (*want >= 0.5f), e.words++;
      } else {
        const auto count = c.words.size();
        wrong +=
            std::max_element(got, got + count) - got != std::max_element(want, want + count) - want;
        e.words++;
      }
    }
  if (e.numbers) e.rmse = std::sqrt(squares / double(e.numbers));
  if (e.words) e.wrong = double(wrong) / double(e.words);
  return e;
}

}  // namespace clade::apps
