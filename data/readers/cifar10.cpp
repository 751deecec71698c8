#include "data/readers/cifar10.h"

#include "data/readers/gzip.h"
#include "tensor/parallel.h"

namespace clade::data {
namespace {

constexpr int64_t kChannels = 3, kPixels = 32 * 32, kRecord = 1 + kChannels * kPixels;

}  // namespace

Dataset parse_cifar10(std::string_view bytes, const std::string& file) {
  if (bytes.empty() || bytes.size() % kRecord != 0)
    fail("cifar10", text("records of ", kRecord, " bytes"), text(bytes.size(), " bytes in ", file),
         "this reads the binary version, not the one for Python or MATLAB");
  const int64_t n = int64_t(bytes.size()) / kRecord;
  Dataset d;
  d.name = file;
  d.values = Tensor::empty({n, kChannels, 32, 32}, DType::f32, Layout::channels_last);
  Tensor ids = Tensor::empty({n}, DType::u8);
  float* values = d.values.data<float>();
  uint8_t* id = ids.data<uint8_t>();
  parallel_for(n, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const char* record = bytes.data() + i * kRecord;
      id[i] = uint8_t(record[0]);
      if (id[i] > 9)
        fail("cifar10", "labels in 0 .. 9", text(id[i], " in record ", i, " of ", file));
      for (int64_t p = 0; p < kPixels; p++)
        for (int64_t c = 0; c < kChannels; c++)
          values[(i * kPixels + p) * kChannels + c] =
              float(uint8_t(record[1 + c * kPixels + p])) / 255.0f;
    }
  });
  d.labels = Labels(ids, {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
                          "ship", "truck"});
  return d;
}

Dataset load_cifar10(const std::string& path) { return parse_cifar10(read_unpacked(path), path); }

}  // namespace clade::data
