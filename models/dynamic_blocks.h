// The dynamic convolutional blocks of P0 (section IV, eqs. 1 to 3): a convolutional encoder and
// decoder whose depth follows the size of the image.
//
// For images of D x D, D a power of two, N = log2(D) - 1 blocks each halve the side, so that 2 x 2
// pixels of F_N channels stand before the latent space, whatever D:
//
//     block i:  conv 3x3 -> F_i, norm, act;  conv 3x3 stride 2, norm, act        F_i = F_1 2^(i-1)
//
// Two 3x3 convolutions see what one 5x5 sees for fewer operations; normalisation stands before the
// activation. The decoder is the mirror image, with transposed convolutions that double the side:
//
//     block i:  conv_transpose 3x3 stride 2 -> F_(i-1), norm, act;  conv 3x3, norm, act
//
// and ends in a 3x3 convolution to the image's channels. What P0 leaves open (activation LeakyReLU
// .01, no bias before a normalisation, He-normal weights) follows docs/models.md.
#pragma once

#include "nn/sequential.h"

namespace clade::models {

struct DynamicOptions {
  int64_t size = 32;         // D, a power of two, at least 8
  int64_t in_channels = 1;   // of the encoder's input
  int64_t out_channels = 1;  // of the decoder's output
  int64_t filters = 0;       // F_1; 0: D, as P0 says
  double slope = 0.01;       // of LeakyReLU
  // P0 names the first ceil(N / 2) blocks "general" and the rest "specific" without saying how they
  // differ. false: they do not; true: a specific block has its strided convolution alone.
  bool short_specific_blocks = false;
};

struct BlockCounts {
  int64_t all, general, specific;
};
// Eqs. 1 to 3. Throws Error unless size is a power of two of 8 or more.
BlockCounts block_counts(int64_t size);
// Channels of the last block, F_N; the encoder gives 2 * 2 * F_N numbers an image.
int64_t last_filters(const DynamicOptions& o);

// (N, in_channels, D, D) -> (N, 4 F_N)
nn::Sequential dynamic_encoder(const DynamicOptions& o, Random& rng);
// (N, 4 F_N) -> (N, out_channels, D, D), without a last activation
nn::Sequential dynamic_decoder(const DynamicOptions& o, Random& rng);

// The dense pair for tables: in -> hidden... -> last hidden, and back to out, ReLU between.
nn::Sequential dense_encoder(int64_t in, const std::vector<int64_t>& hidden, Random& rng);
nn::Sequential dense_decoder(const std::vector<int64_t>& hidden, int64_t out, Random& rng);

}  // namespace clade::models
