// DEC-DA, deep embedded clustering with data augmentation (Guo, Zhu, Liu, Yin, ACML 2018); recipe
// 13. FcDEC-DA (dec-da) and ConvDEC-DA (conv-dec-da), on images:
//
//     pretraining    on images turned by up to 10 degrees and shifted by up to a tenth of the side
//     clustering     L = KL(P || Q'),  P of the image as it is, Q' of the image as it was moved
//
// So a moved image must go where the image itself goes, which for digits is what a class means.
#include "models/conv_autoencoders.h"
#include "models/self_training.h"

namespace clade::models {
namespace {

class DecDa : public SelfTrained {
 public:
  DecDa(const Blueprint& b, Autoencoder ae) : SelfTrained(b, std::move(ae)) {}
  std::vector<Var> loss(const data::Batch& batch, int64_t, int64_t step) override {
    const Random own = Random(blueprint_.seed).fork("moved").fork(uint64_t(step));
    const Corruption c = pretraining_corruption();
    const Tensor x = moved(batch.values, c.shift, c.rotate, own);
    return {divergence(autoencoder_.encode(x), batch)};
  }

 private:
  Corruption pretraining_corruption() const override {
    return {.shift = settings().number("shift"), .rotate = settings().number("rotate")};
  }
  bool trains_decoder() const override { return false; }
};

void recipe(Settings& s, int64_t rows, const Shape&) { fill_self_training(s, rows); }

SystemInfo info(const char* name, const char* what, const std::vector<Setting>& network,
                System* (*make)(const Blueprint&)) {
  return {.name = name,
          .what = what,
          .source = "DEC-DA, Guo et al. 2018; recipe 13",
          .images_only = true,
          .needs_clusters = true,
          .takes_pretrained = true,
          .settings = joined(joined(network, self_training_settings("adam", "0.0001")),
                             {number("shift", "0.1", "the most, as a share of the sides", 0, 1),
                              number("rotate", "10", "the most, in degrees", 0, 180)}),
          .recipe = recipe,
          .make = make};
}

}  // namespace

SystemInfo dec_da_system() {
  std::vector<Setting> network;
  for (const Setting& s : dense_settings())  // a stack is pretrained on rows as they are
    if (std::string(s.name) != "pretrain" && std::string(s.name) != "layer_epochs")
      network.push_back(s);
  return info("dec-da", "DEC of images that are moved a little at each step", network,
              [](const Blueprint& b) -> System* { return new DecDa(b, make_dense(b)); });
}

SystemInfo conv_dec_da_system() {
  return info("conv-dec-da", "the same on a convolutional autoencoder", conv_settings("5x5"),
              [](const Blueprint& b) -> System* { return new DecDa(b, make_conv(b)); });
}

}  // namespace clade::models
