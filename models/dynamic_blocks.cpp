#include "models/dynamic_blocks.h"

#include "nn/init.h"
#include "nn/layers.h"

namespace clade::models {
namespace {

using namespace nn;

template <class Layer>
Layer he(Layer layer, double slope, Random& rng) {
  Tensor weight = layer.weight.value();
  he_normal(weight, rng, slope);
  if (layer.bias.defined()) Tensor(layer.bias.value()).fill_(0);
  return layer;
}

// conv -> norm -> act
void add_conv(Sequential& net, int64_t in, int64_t out, int64_t stride, double slope, Random& rng) {
  net.add(he(Conv2d(in, out, 3, {.stride = stride, .padding = 1, .bias = false}, rng), slope, rng));
  net.add(BatchNorm2d(out)).add(LeakyReLU{slope});
}

// Doubles the side: padding 1 and output padding 1 give exactly 2 H from H.
void add_doubling(Sequential& net, int64_t in, int64_t out, double slope, Random& rng) {
  ConvTranspose2d conv(in, out, 3, {.stride = 2, .padding = 1, .bias = false}, 1, rng);
  net.add(he(std::move(conv), slope, rng));
  net.add(BatchNorm2d(out)).add(LeakyReLU{slope});
}

int64_t first_filters(const DynamicOptions& o) { return o.filters > 0 ? o.filters : o.size; }
int64_t filters_of(const DynamicOptions& o, int64_t block) {
  return first_filters(o) << (block - 1);
}

bool is_short(const DynamicOptions& o, int64_t block) {
  return o.short_specific_blocks && block > block_counts(o.size).general;
}

}  // namespace

BlockCounts block_counts(int64_t size) {
  if (size < 8 || (size & (size - 1)) != 0)
    fail("dynamic blocks", "square images with a side that is a power of two, 8 or more",
         text("a side of ", size), "pad or resize the images first");
  int64_t all = -1;
  for (int64_t side = size; side > 1; side /= 2) all++;
  int64_t general = (all + 1) / 2;
  return {all, general, all - general};
}

int64_t last_filters(const DynamicOptions& o) { return filters_of(o, block_counts(o.size).all); }

Sequential dynamic_encoder(const DynamicOptions& o, Random& rng) {
  Sequential net;
  int64_t channels = o.in_channels;
  for (int64_t block = 1; block <= block_counts(o.size).all; block++) {
    int64_t filters = filters_of(o, block);
    if (!is_short(o, block)) {
      add_conv(net, channels, filters, 1, o.slope, rng);
      channels = filters;
    }
    add_conv(net, channels, filters, 2, o.slope, rng);
    channels = filters;
  }
  net.add(Flatten{});
  return net;
}

Sequential dynamic_decoder(const DynamicOptions& o, Random& rng) {
  Sequential net;
  net.add(Unflatten{last_filters(o), 2, 2});
  for (int64_t block = block_counts(o.size).all; block >= 1; block--) {
    int64_t filters = filters_of(o, block), next = block > 1 ? filters_of(o, block - 1) : filters;
    add_doubling(net, filters, next, o.slope, rng);
    if (block > 1 && !is_short(o, block)) add_conv(net, next, next, 1, o.slope, rng);
  }
  net.add(he(Conv2d(first_filters(o), o.out_channels, 3, {.padding = 1}, rng), 1, rng));
  return net;
}

Sequential dense_encoder(int64_t in, const std::vector<int64_t>& hidden, Random& rng) {
  Sequential net;
  for (int64_t width : hidden) {
    net.add(he(Linear(in, width, rng), 0, rng)).add(ReLU{});
    in = width;
  }
  return net;
}

Sequential dense_decoder(const std::vector<int64_t>& hidden, int64_t out, Random& rng) {
  Sequential net;
  for (size_t i = hidden.size(); i-- > 1;)
    net.add(he(Linear(hidden[i], hidden[i - 1], rng), 0, rng)).add(ReLU{});
  net.add(he(Linear(hidden.at(0), out, rng), 1, rng));
  return net;
}

}  // namespace clade::models
