// The convolutional autoencoders of P3 and of Guo; recipes 5.2, 5.3 and 13.
//
//   5x5   conv 5x5 s2 32, conv 5x5 s2 64, conv 3x3 s2 128, dense to the code, and the mirror image;
//         ReLU between, linear code and output. DCEC's own: 275,979 parameters for 1 x 28 x 28.
//   3x3   the same with 3x3 everywhere and LeakyReLU: that of P3's notebook, 209,419 parameters.
//         The notebook prints a slope of 5, surely for .05, which is taken here.
//   p3    five conv 3x3 with pooling, 24-20-16-12-10 filters, down to 1 x 1, and upsampling back:
//         P3's "CAE10", 20,553 parameters; for 28 x 28 alone, its code of 10 is its last filters.
//
// "Same" padding is symmetric here where TensorFlow puts the odd pixel last; the last strided
// convolution of 5x5 and 3x3 has no padding unless the sides are multiples of 8. Weights: Glorot,
// biases 0.
#pragma once

#include "models/autoencoder.h"

namespace clade::models {

// sample (C, H, W), H and W multiples of 4, 12 or more, else Error. kernel 5 or 3.
Autoencoder guo_autoencoder(const Shape& sample, int64_t kernel, int64_t latent, Random& rng);
// sample (1, 28, 28) and latent 10, else Error.
Autoencoder p3_autoencoder(const Shape& sample, int64_t latent, Random& rng);

// pretraining_settings() and `network`, with this default.
std::vector<Setting> conv_settings(const char* network);
Autoencoder make_conv(const Blueprint& b);

}  // namespace clade::models
