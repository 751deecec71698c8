// The list of systems: a new one is declared and named here, and nowhere else.
#include <algorithm>
#include <cmath>

#include "models/rows.h"
#include "models/system.h"

namespace clade::models {

SystemInfo masked_vae_system();
SystemInfo vae_system();
SystemInfo ae_kmeans_system();
SystemInfo ae_gmm_system();
SystemInfo cae_kmeans_system();
SystemInfo dec_system();
SystemInfo idec_system();
SystemInfo dcn_system();
SystemInfo n2d_system();
SystemInfo dcec_system();
SystemInfo dec_da_system();
SystemInfo conv_dec_da_system();
SystemInfo dcra_system();

const std::vector<SystemInfo>& systems() {
  static const std::vector<SystemInfo> all = {
      masked_vae_system(), vae_system(),  ae_kmeans_system(), ae_gmm_system(),
      cae_kmeans_system(), dec_system(),  idec_system(),      dcn_system(),
      n2d_system(),        dcec_system(), dec_da_system(),    conv_dec_da_system(),
      dcra_system(),
  };
  return all;
}

const SystemInfo* find_system(const std::string& name) {
  for (const SystemInfo& info : systems())
    if (name == info.name) return &info;
  return nullptr;
}

SystemPtr make_system(const SystemInfo& info, const Blueprint& b) {
  if (b.sample.rank() != 1 && b.sample.rank() != 3)
    fail(info.name, "rows (D) or images (C, H, W)", text(b.sample));
  if (info.images_only && b.sample.rank() != 3)
    fail(info.name, "images", text("rows of ", b.sample[0], " values"),
         "take a system for tables: clade systems lists them");
  if (info.needs_clusters && b.clusters < 1)
    fail(info.name, "the number of clusters", "none", "give --k");
  return SystemPtr(info.make(b));
}

int64_t epochs_for(int64_t rows) { return std::clamp<int64_t>(1'860'000 / rows, 50, 400); }

Rows slice(const Rows& rows, int64_t begin, int64_t end) {
  return {rows.values.slice(0, begin, end),
          rows.mask.defined() ? rows.mask.slice(0, begin, end) : Tensor()};
}

void require_finite_codes(const Tensor& codes) {
  const float* code = codes.data<float>();
  for (int64_t i = 0; i < codes.numel(); i++)
    if (!std::isfinite(code[i]))
      fail("encode", "a finite code for every row", text(code[i], " in row ", i / codes.size(1)),
           "lower --lr, or look for extreme values in the data");
}

}  // namespace clade::models
