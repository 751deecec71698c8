#include "data/readers/har.h"

#include "data/readers/csv.h"
#include "data/readers/gzip.h"

namespace clade::data {
namespace {

constexpr int64_t kFeatures = 561;

Dataset numbers(std::string_view bytes, const std::string& file, int64_t columns) {
  Dataset d = parse_csv(bytes, file, {.separator = ' ', .header = CsvOptions::Header::no});
  if (d.values.size(1) != columns || d.mask.defined())
    fail("har", text(columns, " numbers a line in ", file),
         d.mask.defined() ? "missing ones" : text(d.values.size(1)));
  return d;
}

}  // namespace

Dataset parse_har(std::string_view x, std::string_view y, const std::string& x_file,
                  const std::string& y_file) {
  Dataset d = numbers(x, x_file, kFeatures);
  const Tensor activity = numbers(y, y_file, 1).values;
  if (activity.size(0) != d.size())
    fail("har", text("as many lines in ", y_file, " as in ", x_file, ", ", d.size()),
         text(activity.size(0)));
  Tensor ids = Tensor::empty({d.size()}, DType::i32);
  for (int64_t i = 0; i < d.size(); i++) {
    const float a = activity.data<float>()[i];
    if (!(a == 1 || a == 2 || a == 3 || a == 4 || a == 5 || a == 6))
      fail("har", text("an activity in 1 .. 6 in line ", i + 1, " of ", y_file), text(double(a)));
    ids.data<int32_t>()[i] = int32_t(a) - 1;
  }
  d.labels = Labels(
      ids, {"walking", "walking upstairs", "walking downstairs", "sitting", "standing", "laying"});
  return d;
}

Dataset load_har(const std::string& x_path, const std::string& y_path) {
  return parse_har(read_unpacked(x_path), read_unpacked(y_path), x_path, y_path);
}

}  // namespace clade::data
