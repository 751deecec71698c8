// Labels: the known class of each row, for judging a clustering and for nothing else.
//
// They are a type of their own so that no model can take them by accident: nothing converts them to
// a Tensor. Code that computes metrics asks for ids() in so many words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace clade::data {

class Labels {
 public:
  static constexpr int32_t kUnknown = -1;  // the id of a row whose class is not known

  Labels() = default;  // no labels: defined() is false
  // ids: i32 or u8 (n), each kUnknown or in 0 .. names.size() - 1; throws Error otherwise.
  Labels(const Tensor& ids, std::vector<std::string> names);
  // One word a row, as a file has them; "" is unknown. Classes are numbered in natural order.
  static Labels from_words(const std::vector<std::string>& words);

  bool defined() const { return ids_.defined(); }
  int64_t size() const { return ids_.numel(); }
  int64_t classes() const { return int64_t(names_.size()); }
  const Tensor& ids() const { return ids_; }                        // i32 (n)
  const std::vector<std::string>& names() const { return names_; }  // name of each class
  std::vector<int64_t> counts() const;                              // rows of each class
  int64_t unknown() const;                                          // rows without a class

  Labels slice(int64_t begin, int64_t end) const;
  // a's rows, then b's. Both must name the same classes; throws Error otherwise.
  static Labels concat(const Labels& a, const Labels& b);

 private:
  Tensor ids_;
  std::vector<std::string> names_;
};

}  // namespace clade::data
