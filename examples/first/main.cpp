// Hides a fifth of the pixels of 1797 small digits, learns a code for each digit from what is left,
// groups the codes, and says how well the groups agree with the digits' names.
#include <clade.h>

#include <cstdio>

int main() {
  using namespace clade;
  try {
    data::Dataset digits = data::hide_at_random(data::load("digits"), 0.2, Random(1));

    models::Vae vae(digits.values.shape().without(0), {.masked = true, .beta = 0.05}, Random(2));
    auto history = models::train_vae(vae, digits, {.epochs = 30, .batch = 64});
    Tensor codes = models::encode_means(vae, digits);  // (1797, 10)

    Tensor embedding = cluster::umap(codes, {.min_dist = 0}).embedding;
    Tensor groups = cluster::kmeans(embedding, {.k = 10}).labels;
    double accuracy = cluster::accuracy(digits.labels.ids(), groups);
    std::printf("loss %.1f -> %.1f, accuracy %.3f\n", history.front().total, history.back().total,
                accuracy);
    return accuracy > 0.6 ? 0 : 1;
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
