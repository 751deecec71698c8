// Systems of the registry at a size that trains in a moment, and rows for them.
#pragma once

#include "models/system.h"

namespace clade::models {

// Small networks and few epochs, for rows of every kind.
inline SystemPtr small(const SystemInfo& info, const Shape& sample, int64_t k, int64_t rows,
                       const std::string& more = "", Device device = Device::cpu(),
                       const char* passes = "3") {
  Settings s(info.name, info.settings);
  auto set = [&](const char* name, const char* value) {
    if (s.knows(name)) s.set(name, value);
  };
  set("epochs", passes), set("hidden", "24-16"), set("batch", "32"), set("filters", "2");
  set("network", "5x5"), set("noise", "0.3"), set("update", "4"), set("iterations", "16"),
      set("tolerance", "0");
  set("cluster_epochs", passes), set("refresh", "2"), set("layer_epochs", "2");
  set("neighbors", "10"), set("dimensions", "2"), set("latent", "4");
  set("warm_epochs", "2"), set("expert_epochs", "2"), set("siamese_epochs", "2");
  set("expert_hidden", "12-8"), set("miwae_epochs", "2"), set("miwae_hidden", "16");
  set("miwae_latent", "3"), set("samples", "3");
  s.set_all(more);
  info.recipe(s, rows, sample);
  return make_system(info, {sample, info.needs_clusters ? k : 0, s, 3, device});
}

// Three blobs of images (n, 1, 16, 16), or of rows (n, 12).
inline Rows some_rows(bool images, int64_t n = 90) {
  Random rng(11);
  Tensor x = images ? Tensor::empty({n, 1, 16, 16}, DType::f32, Layout::channels_last)
                    : Tensor::empty({n, 12});
  fill_uniform(rng, x, 0, 0.3);
  const int64_t width = x.numel() / n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < width; j++)
      if (j * 3 / width == i % 3) x.data<float>()[i * width + j] += 0.6f;
  return {x, {}};
}

inline bool takes_images(const SystemInfo& info) {
  return info.images_only || info.power_of_two_images;
}

}  // namespace clade::models
