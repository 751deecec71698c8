// Tensor: a small value type over shared storage: shape, strides, offset, dtype, device.
//
// Copying a Tensor copies no elements: both then see the same storage, as in PyTorch. Views
// (reshape, permute, slice, ...) are free; clone(), contiguous() and to() copy when they must.
//
// Images are (N, C, H, W) to the user and channels-last in memory (Layout::channels_last): fast
// kernels see NHWC while shapes, state dicts and the order of reshape stay PyTorch's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/error.h"
#include "tensor/shape.h"
#include "tensor/storage.h"
#include "tensor/view.h"

namespace clade {

enum class Layout : uint8_t {
  row_major,      // last axis fastest
  channels_last,  // rank 4 only: (N, C, H, W) with C fastest in memory; other ranks: row_major
};

class Tensor {
 public:
  Tensor() = default;  // undefined: no storage; defined() is false

  // -- making --------------------------------------------------------------------------------
  static Tensor empty(const Shape& shape, DType dtype = DType::f32,
                      Layout layout = Layout::row_major, Device device = Device::cpu());
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32,
                      Layout layout = Layout::row_major, Device device = Device::cpu());
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32,
                     Device device = Device::cpu());
  // Same shape, dtype, device and, where `like` is dense, the same order of axes in memory.
  static Tensor empty_like(const Tensor& like);
  static Tensor zeros_like(const Tensor& like);
  // A copy of `values` in row-major order; throws when their count is not shape.numel().
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape);
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::vector<T>(values), shape);
  }
  static Tensor scalar(double value, DType dtype = DType::f32) { return full({}, value, dtype); }

  // -- asking --------------------------------------------------------------------------------
  bool defined() const { return bool(storage_); }
  Shape shape() const { return view_.sizes(); }
  int rank() const { return view_.rank; }
  int64_t size(int d) const;  // d may count from the end: size(-1)
  int64_t stride(int d) const;
  int64_t numel() const { return defined() ? view_.numel() : 0; }
  DType dtype() const { return view_.dtype; }
  Device device() const { return storage_ ? storage_->device() : Device::cpu(); }
  bool is_contiguous() const { return view_.is_contiguous(); }
  bool is_channels_last() const { return view_.is_channels_last(); }
  // Every element has its own place and there are no gaps, in whatever order of axes.
  bool is_dense() const;
  const View& view() const { return view_; }
  Storage& storage() const;
  bool shares_storage_with(const Tensor& other) const {
    return storage_.get() == other.storage_.get();
  }

  // First element; throws when T is not the dtype, or the elements lie on a GPU. Elements follow
  // strides.
  template <class T>
  T* data() const;
  // The next three wait for the GPU, where the elements lie on one.
  // The one element of a tensor with numel() == 1, converted to double.
  double item() const;
  // Element at a full index, converted to double; for tests and messages, not for loops.
  double at(std::initializer_list<int64_t> index) const;
  // All elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;

  // -- views: no element is copied -------------------------------------------------------------
  Tensor permute(std::initializer_list<int> axes) const {
    return permute(axes.begin(), int(axes.size()));
  }
  Tensor permute(const int* axes, int count) const;
  Tensor transpose(int a, int b) const;
  Tensor slice(int d, int64_t begin, int64_t end, int64_t step = 1) const;
  Tensor select(int d, int64_t index) const;  // drops axis d
  Tensor unsqueeze(int d) const;
  Tensor squeeze(int d) const;              // axis d must have size 1
  Tensor expand(const Shape& shape) const;  // broadcasting view, strides of 0

  // -- views where possible, else copies -----------------------------------------------------
  // Row-major order of elements is kept. One size may be -1: it is worked out from the rest.
  Tensor reshape(std::initializer_list<int64_t> sizes) const;
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(int first = 0, int last = -1) const;
  Tensor contiguous() const;              // row-major without gaps
  Tensor to_layout(Layout layout) const;  // dense in that layout
  Tensor to(DType dtype) const;           // converted; the same tensor if it has that dtype
  Tensor to(Device device) const;         // the same tensor if it is there; undefined stays so

  // -- copies ----------------------------------------------------------------------------------
  Tensor clone() const;  // same layout if dense, else row-major
  // -- in place: each bumps the storage's version and names itself as the writer ---------------
  Tensor& copy_(const Tensor& from);  // broadcasting and dtype conversion; on one device
  Tensor& fill_(double value);
  void written_by(const char* op) const { storage().written_by(op); }

 private:
  Tensor(StorageRef storage, const View& view)
      : storage_(static_cast<StorageRef&&>(storage)), view_(view) {}
  Tensor with_view(const View& view) const { return Tensor(storage_, view); }
  int axis(const char* op, int d, int extra = 0) const;

  StorageRef storage_;
  View view_;
};

// "f32 [2, 3]" or "f32 [2, 3] on cuda:0"; "undefined tensor".
void append(std::string& out, const Tensor& t);

// A short printout of the values, as NumPy does it; for people.
std::string to_string(const Tensor& t, int edge_items = 3);

// to[i] = from[i] for any strides and dtypes; sizes must be equal, and the device. What
// contiguous() and copy_ use.
void copy_elements(const Tensor& from, const Tensor& to);
void copy_elements(const View& from, const View& to);  // on the CPU

}  // namespace clade
