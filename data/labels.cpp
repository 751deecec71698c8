#include "data/labels.h"

#include <algorithm>
#include <utility>

#include "data/natural_order.h"

namespace clade::data {

Labels::Labels(const Tensor& ids, std::vector<std::string> names) : names_(std::move(names)) {
  bool integers = ids.defined() && (ids.dtype() == DType::i32 || ids.dtype() == DType::u8);
  if (!integers || ids.rank() != 1) fail("labels", "ids as i32 or u8 [n]", text(ids));
  ids_ = ids.to(DType::i32).contiguous();
  const int32_t* id = ids_.data<int32_t>();
  for (int64_t i = 0; i < size(); i++)
    if (id[i] < kUnknown || id[i] >= classes())
      fail("labels", text("ids in 0 .. ", classes() - 1, " (or -1: unknown)"),
           text(id[i], " at row ", i));
}

Labels Labels::from_words(const std::vector<std::string>& words) {
  std::vector<std::string> names(words);
  std::sort(names.begin(), names.end(), natural_less);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (!names.empty() && names.front().empty()) names.erase(names.begin());
  Tensor ids = Tensor::empty({int64_t(words.size())}, DType::i32);
  int32_t* id = ids.data<int32_t>();
  for (size_t i = 0; i < words.size(); i++) {
    auto place = std::lower_bound(names.begin(), names.end(), words[i], natural_less);
    id[i] = words[i].empty() ? kUnknown : int32_t(place - names.begin());
  }
  return Labels(ids, std::move(names));
}

std::vector<int64_t> Labels::counts() const {
  std::vector<int64_t> counts(names_.size());
  const int32_t* id = defined() ? ids_.data<int32_t>() : nullptr;
  for (int64_t i = 0; i < size(); i++)
    if (id[i] != kUnknown) counts[size_t(id[i])]++;
  return counts;
}

int64_t Labels::unknown() const {
  int64_t known = 0;
  for (int64_t count : counts()) known += count;
  return size() - known;
}

Labels Labels::slice(int64_t begin, int64_t end) const {
  Labels part = *this;
  if (defined()) part.ids_ = ids_.slice(0, begin, end);
  return part;
}

Labels Labels::concat(const Labels& a, const Labels& b) {
  if (a.names_ != b.names_ || a.defined() != b.defined())
    fail("labels", text("two parts with the same classes ", a.names_), text(b.names_));
  Labels both = a;
  if (!a.defined()) return both;
  both.ids_ = Tensor::empty({a.size() + b.size()}, DType::i32);
  both.ids_.slice(0, 0, a.size()).copy_(a.ids_);
  both.ids_.slice(0, a.size(), both.size()).copy_(b.ids_);
  return both;
}

}  // namespace clade::data
