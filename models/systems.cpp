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
SystemInfo dense_vae_system();
SystemInfo iwae_system();
SystemInfo conv_iwae_system();
SystemInfo miwae_system();
SystemInfo conv_miwae_system();
SystemInfo tabular_vae_system();
SystemInfo vade_system();
SystemInfo gmvae_system();
SystemInfo dgg_system();
SystemInfo kdae_system();
SystemInfo ltvae_system();
SystemInfo kdvae_system();
SystemInfo not_miwae_system();
SystemInfo miwae_vae_system();
SystemInfo moe_vae_system();

const std::vector<SystemInfo>& systems() {
  static const std::vector<SystemInfo> all = {
      masked_vae_system(), vae_system(),        ae_kmeans_system(),   ae_gmm_system(),
      cae_kmeans_system(), dec_system(),        idec_system(),        dcn_system(),
      n2d_system(),        dcec_system(),       dec_da_system(),      conv_dec_da_system(),
      dcra_system(),       dense_vae_system(),  iwae_system(),        conv_iwae_system(),
      miwae_system(),      conv_miwae_system(), tabular_vae_system(), vade_system(),
      gmvae_system(),      dgg_system(),        kdae_system(),        ltvae_system(),
      kdvae_system(),      not_miwae_system(),  miwae_vae_system(),   moe_vae_system(),
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
  require_device(b.device);
  if (info.cpu_only && !b.device.is_cpu())
    fail(info.name, "the cpu: its steps go row by row", text(b.device), "use --device cpu");
  SystemPtr system(info.make(b));
  nn::move_to(*system, b.device);
  return system;
}

int64_t epochs_for(int64_t rows) { return std::clamp<int64_t>(1'860'000 / rows, 50, 400); }

Rows slice(const Rows& rows, int64_t begin, int64_t end) {
  return {rows.values.slice(0, begin, end),
          rows.mask.defined() ? rows.mask.slice(0, begin, end) : Tensor(), rows.device};
}

void require_finite_codes(const Tensor& codes) {
  const float* code = codes.data<float>();
  for (int64_t i = 0; i < codes.numel(); i++)
    if (!std::isfinite(code[i]))
      fail("encode", "a finite code for every row", text(code[i], " in row ", i / codes.size(1)),
           "lower --lr, or look for extreme values in the data");
}

}  // namespace clade::models
