#include "data/readers/stl10.h"

#include "data/places.h"
#include "data/readers/gzip.h"
#include "tensor/npy.h"

namespace clade::data {

Dataset stl10_features(const Tensor& features, std::string_view y_train, std::string_view y_test,
                       const std::string& folder) {
  const std::string classes = std::string(y_train).append(y_test);
  if (features.rank() != 2 || features.size(0) != int64_t(classes.size()))
    fail("stl10",
         text("features (n, D) in ", folder, ", a row for each of the ", classes.size(), " labels"),
         text(features));
  Dataset d = from_tensor(folder, features);
  if (d.mask.defined()) fail("stl10", text("finite features in ", folder), "NaN");
  for (int64_t c = 1; c <= features.size(1); c++) d.columns.push_back(text("f", c));
  Tensor ids = Tensor::empty({d.size()}, DType::i32);
  for (int64_t i = 0; i < d.size(); i++) {
    const int label = static_cast<unsigned char>(classes[size_t(i)]);
    if (label < 1 || label > 10)
      fail("stl10", text("labels 1 .. 10 in ", folder), text(label, " of row ", i));
    ids.data<int32_t>()[i] = label - 1;
  }
  d.labels = Labels(
      ids, {"airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"});
  return d;
}

Dataset load_stl10_features(const std::string& folder) {
  return stl10_features(load_npy(folder + "/features.npy"),
                        read_unpacked(find_file(folder, "train_y.bin")),
                        read_unpacked(find_file(folder, "test_y.bin")), folder);
}

}  // namespace clade::data
