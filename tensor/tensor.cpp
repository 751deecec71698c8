#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "tensor/device_memory.h"
#include "tensor/parallel.h"

namespace clade {
namespace {

View row_major_view(const Shape& shape, DType dtype) {
  View v;
  v.dtype = dtype;
  v.rank = shape.rank();
  int64_t stride = 1;
  for (int d = v.rank - 1; d >= 0; d--) {
    v.shape[d] = shape[d];
    v.stride[d] = stride;
    stride *= std::max<int64_t>(shape[d], 1);
  }
  return v;
}

View channels_last_view(const Shape& shape, DType dtype) {
  View v = row_major_view(shape, dtype);
  if (v.rank != 4) return v;
  int64_t c = std::max<int64_t>(shape[1], 1), w = std::max<int64_t>(shape[3], 1),
          h = std::max<int64_t>(shape[2], 1);
  v.stride[1] = 1;
  v.stride[3] = c;
  v.stride[2] = c * w;
  v.stride[0] = c * w * h;
  return v;
}

void* element(const View& v, int64_t offset) {
  return static_cast<char*>(v.data) + offset * int64_t(size_of(v.dtype));
}

// Axes in the order of their strides, largest first: the order of axes in memory.
void memory_order(const View& v, int* order) {
  std::iota(order, order + v.rank, 0);
  std::stable_sort(order, order + v.rank, [&](int a, int b) { return v.stride[a] > v.stride[b]; });
}

bool dense(const View& v) {
  int order[kMaxRank];
  memory_order(v, order);
  int64_t expected = 1;
  for (int i = v.rank - 1; i >= 0; i--) {
    int d = order[i];
    if (v.shape[d] == 1) continue;
    if (v.stride[d] != expected) return v.numel() == 0;
    expected *= v.shape[d];
  }
  return true;
}

void fill_with_zeros(Storage& s) {
  if (!s.device().is_cpu()) return fill_device_bytes(s.data(), 0, s.bytes(), current_stream());
  char* data = static_cast<char*>(s.data());
  parallel_for(int64_t(s.bytes()), 1 << 20, [&](int64_t begin, int64_t end) {
    std::memset(data + begin, 0, size_t(end - begin));
  });
}

// An in-place write through an expanded view would write one place many times, in any order.
void require_own_places(const char* op, const Tensor& t) {
  const View& v = t.view();
  for (int d = 0; d < v.rank; d++) {
    if (v.stride[d] == 0 && v.shape[d] > 1)
      fail(op, "a target whose elements each have their own place", text(t, ", expanded"),
           "write to its clone()");
  }
}

// Whether the stretches of memory from first to last element have a place in common.
bool ranges_meet(const View& a, const View& b) {
  auto end = [](const View& v) {
    int64_t last = 0;
    for (int d = 0; d < v.rank; d++) last += (v.shape[d] - 1) * v.stride[d];
    return element(v, last + 1);
  };
  return a.numel() > 0 && b.numel() > 0 && a.data < end(b) && b.data < end(a);
}

}  // namespace

// -- making ------------------------------------------------------------------------------------

Tensor Tensor::empty(const Shape& shape, DType dtype, Layout layout, Device device) {
  View v = layout == Layout::channels_last ? channels_last_view(shape, dtype)
                                           : row_major_view(shape, dtype);
  // One element more than none, so that an empty tensor still has an address.
  size_t bytes = std::max<size_t>(size_t(shape.numel()) * size_of(dtype), 1);
  StorageRef storage(new Storage(bytes, device));
  v.data = storage->data();
  return Tensor(storage, v);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Layout layout, Device device) {
  Tensor t = empty(shape, dtype, layout, device);
  fill_with_zeros(t.storage());
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, Layout::row_major, device);
  if (!device.is_cpu()) {
    device_fill(t.view(), value, current_stream());
    return t;
  }
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(t.data<T>(), t.numel(), convert<T>(value));
  });
  return t;
}

Tensor Tensor::empty_like(const Tensor& like) {
  Tensor t = empty(like.shape(), like.dtype(), Layout::row_major, like.device());
  if (like.is_dense()) std::copy_n(like.view_.stride, kMaxRank, t.view_.stride);
  return t;
}

Tensor Tensor::zeros_like(const Tensor& like) {
  Tensor t = empty_like(like);
  fill_with_zeros(t.storage());
  return t;
}

template <class T>
Tensor Tensor::from(const std::vector<T>& values, const Shape& shape) {
  if (int64_t(values.size()) != shape.numel())
    fail("Tensor::from", text(shape.numel(), " values for shape ", shape),
         text(values.size(), " values"));
  Tensor t = empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), t.data<T>());
  return t;
}

// -- asking ------------------------------------------------------------------------------------

int Tensor::axis(const char* op, int d, int extra) const {
  int rank = view_.rank + extra;
  if (rank == 0) fail(op, "a tensor with axes", text("axis ", d, " of ", *this));
  if (d < -rank || d >= rank)
    fail(op, text("an axis in ", -rank, " .. ", rank - 1), text("axis ", d, " of ", *this));
  return d < 0 ? d + rank : d;
}

int64_t Tensor::size(int d) const { return view_.shape[axis("size", d)]; }
int64_t Tensor::stride(int d) const { return view_.stride[axis("stride", d)]; }
bool Tensor::is_dense() const { return dense(view_); }

Storage& Tensor::storage() const {
  if (!defined()) fail("storage", "a defined tensor", text(*this));
  return *storage_.get();
}

template <class T>
T* Tensor::data() const {
  if (!defined()) fail("data", text("a ", dtype_of<T>, " tensor"), "an undefined tensor");
  if (dtype() != dtype_of<T>)
    fail("data", text("a ", dtype_of<T>, " tensor"), text(*this),
         text("use .to(DType::", dtype_of<T>, ")"));
  if (!device().is_cpu())
    fail("data", "a tensor on the cpu", text(*this), "use .to(Device::cpu())");
  return static_cast<T*>(view_.data);
}

double Tensor::item() const {
  if (numel() != 1) fail("item", "a tensor with one element", text(*this));
  if (!device().is_cpu()) return to(Device::cpu()).item();
  return dispatch(dtype(), [&](auto zero) {
    return static_cast<double>(*static_cast<decltype(zero)*>(view_.data));
  });
}

double Tensor::at(std::initializer_list<int64_t> index) const {
  if (int(index.size()) != rank())
    fail("at", text(rank(), " indices for ", *this), text(index.size(), " indices"));
  int64_t offset = 0;
  int d = 0;
  for (int64_t i : index) {
    if (i < 0 || i >= view_.shape[d])
      fail("at", text("an index below ", view_.shape[d], " at axis ", d), text(i));
    offset += i * view_.stride[d++];
  }
  if (!device().is_cpu()) return to(Device::cpu()).at(index);
  return dispatch(dtype(), [&](auto zero) {
    return static_cast<double>(static_cast<decltype(zero)*>(view_.data)[offset]);
  });
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  Tensor t = to(Device::cpu()).to(dtype_of<T>).contiguous();
  return std::vector<T>(t.data<T>(), t.data<T>() + t.numel());
}

// -- views -------------------------------------------------------------------------------------

Tensor Tensor::permute(const int* axes, int count) const {
  View v = view_;
  bool seen[kMaxRank] = {};
  bool valid = count == rank();
  for (int d = 0; d < count && valid; d++) {
    int a = axis("permute", axes[d]);
    valid = !seen[a];
    seen[a] = true;
    v.shape[d] = view_.shape[a];
    v.stride[d] = view_.stride[a];
  }
  if (!valid)
    fail("permute", text("each of the ", rank(), " axes once"),
         text(std::vector<int>(axes, axes + count), " for ", *this));
  return with_view(v);
}

Tensor Tensor::transpose(int a, int b) const {
  a = axis("transpose", a), b = axis("transpose", b);
  View v = view_;
  std::swap(v.shape[a], v.shape[b]);
  std::swap(v.stride[a], v.stride[b]);
  return with_view(v);
}

Tensor Tensor::slice(int d, int64_t begin, int64_t end, int64_t step) const {
  d = axis("slice", d);
  if (begin < 0 || end < begin || end > view_.shape[d] || step < 1)
    fail("slice", text("0 <= begin <= end <= ", view_.shape[d], " and step >= 1"),
         text("begin ", begin, ", end ", end, ", step ", step));
  View v = view_;
  v.data = element(v, begin * v.stride[d]);
  v.shape[d] = begin == end ? 0 : (end - begin - 1) / step + 1;
  if (v.shape[d] > 1) v.stride[d] *= step;
  return with_view(v);
}

Tensor Tensor::select(int d, int64_t index) const {
  d = axis("select", d);
  if (index < 0 || index >= view_.shape[d])
    fail("select", text("an index below ", view_.shape[d]), text(index));
  return slice(d, index, index + 1).squeeze(d);
}

Tensor Tensor::unsqueeze(int d) const {
  d = axis("unsqueeze", d, 1);
  if (rank() == kMaxRank) fail("unsqueeze", text("fewer than ", kMaxRank, " axes"), text(*this));
  View v = view_;
  std::copy_backward(v.shape + d, v.shape + v.rank, v.shape + v.rank + 1);
  std::copy_backward(v.stride + d, v.stride + v.rank, v.stride + v.rank + 1);
  v.rank++;
  v.shape[d] = 1;
  v.stride[d] = d + 1 < v.rank ? v.shape[d + 1] * v.stride[d + 1] : 1;
  return with_view(v);
}

Tensor Tensor::squeeze(int d) const {
  d = axis("squeeze", d);
  if (view_.shape[d] != 1) fail("squeeze", "an axis of size 1", text("axis ", d, " of ", *this));
  View v = view_;
  std::copy(v.shape + d + 1, v.shape + v.rank, v.shape + d);
  std::copy(v.stride + d + 1, v.stride + v.rank, v.stride + d);
  v.rank--;
  v.shape[v.rank] = v.stride[v.rank] = 0;
  return with_view(v);
}

Tensor Tensor::expand(const Shape& shape) const {
  View v = row_major_view(shape, dtype());
  v.data = view_.data;
  int lead = shape.rank() - rank();
  bool fits = lead >= 0;
  for (int d = 0; d < shape.rank() && fits; d++) {
    int s = d - lead;
    if (s < 0 || (view_.shape[s] == 1 && shape[d] != 1)) {
      v.stride[d] = 0;
    } else {
      fits = view_.shape[s] == shape[d];
      v.stride[d] = view_.stride[s];
    }
  }
  if (!fits) fail("expand", "sizes equal to the target's, or 1", text(*this, " to ", shape));
  return with_view(v);
}

// -- reshape -------------------------------------------------------------------------------------

Tensor Tensor::reshape(std::initializer_list<int64_t> sizes) const {
  int64_t known = 1, wanted[kMaxRank];
  int unknown = -1, d = 0;
  bool overflow = false;
  if (sizes.size() > kMaxRank) return reshape(Shape(sizes));  // reports the rank
  for (int64_t s : sizes) {
    if (s == -1 && unknown < 0) {
      unknown = d;
    } else {
      overflow = overflow || __builtin_mul_overflow(known, s, &known);
    }
    wanted[d++] = s;
  }
  if (unknown >= 0) {
    if (overflow || known <= 0 || numel() % known != 0)
      fail("reshape", text("sizes whose product divides ", numel()),
           text(std::vector<int64_t>(sizes), " for ", *this));
    wanted[unknown] = numel() / known;
  }
  return reshape(Shape(wanted, d));
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.numel() != numel())
    fail("reshape", text(numel(), " elements"), text(shape, " for ", *this));
  if (is_contiguous()) {
    View v = row_major_view(shape, dtype());
    v.data = view_.data;
    return with_view(v);
  }
  return contiguous().reshape(shape);
}

Tensor Tensor::flatten(int first, int last) const {
  if (rank() == 0) return reshape(Shape{1});
  first = axis("flatten", first), last = axis("flatten", last);
  if (first > last) fail("flatten", "first axis <= last axis", text(first, " and ", last));
  int64_t sizes[kMaxRank], joined = 1;
  int n = 0;
  for (int d = 0; d < first; d++) sizes[n++] = view_.shape[d];
  for (int d = first; d <= last; d++) joined *= view_.shape[d];
  sizes[n++] = joined;
  for (int d = last + 1; d < rank(); d++) sizes[n++] = view_.shape[d];
  return reshape(Shape(sizes, n));
}

// -- copies --------------------------------------------------------------------------------------

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : to_layout(Layout::row_major); }

Tensor Tensor::to_layout(Layout layout) const {
  bool already =
      layout == Layout::channels_last && rank() == 4 ? is_channels_last() : is_contiguous();
  if (already) return *this;
  Tensor t = empty(shape(), dtype(), layout, device());
  copy_elements(*this, t);
  return t;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  Tensor t = empty(shape(), dtype, Layout::row_major, device());
  if (is_dense()) std::copy_n(view_.stride, kMaxRank, t.view_.stride);
  copy_elements(*this, t);
  return t;
}

Tensor Tensor::to(Device to) const {
  if (!defined() || to == device()) return *this;
  const Tensor from = is_dense() ? *this : contiguous();  // then its bytes stand without gaps
  Tensor t = empty(shape(), dtype(), Layout::row_major, to);
  std::copy_n(from.view_.stride, kMaxRank, t.view_.stride);
  const size_t bytes = size_t(numel()) * size_of(dtype());
  if (bytes == 0) return t;
  to.is_cpu() ? copy_to_host(t.view_.data, from.view_.data, bytes, current_stream())
              : copy_to_device(t.view_.data, from.view_.data, bytes, current_stream());
  return t;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor t = empty_like(*this);
  copy_elements(*this, t);
  return t;
}

Tensor& Tensor::copy_(const Tensor& from) {
  require_own_places("copy_", *this);
  // Where both lie in one storage an element could be written before it is read.
  const bool overlaps = shares_storage_with(from) && ranges_meet(view_, from.view_);
  const Tensor source = overlaps ? from.clone() : from;
  copy_elements(source.shape() == shape() ? source : source.expand(shape()), *this);
  written_by("copy_");
  return *this;
}

Tensor& Tensor::fill_(double value) {
  require_own_places("fill_", *this);
  device().is_cpu() ? copy_elements(full({}, value, dtype()).expand(shape()).view_, view_)
                    : device_fill(view_, value, current_stream());
  written_by("fill_");
  return *this;
}

void copy_elements(const Tensor& from, const Tensor& to) {
  if (!from.defined() || !to.defined()) return copy_elements(from.view(), to.view());
  if (from.device() != to.device())
    fail("copy", text("tensors of one device, ", to.device()), text(from), "use .to(Device)");
  if (to.device().is_cpu()) return copy_elements(from.view(), to.view());
  if (!same_sizes(from.view(), to.view())) fail("copy", text("sizes ", to.shape()), text(from));
  device_copy(from.view(), to.view(), current_stream());
}

void append(std::string& out, const Tensor& t) {
  if (!t.defined()) {
    out.append("undefined tensor");
    return;
  }
  append(out, t.view());
  if (!t.device().is_cpu()) {
    out.append(" on ");
    append(out, t.device());
  }
}

template Tensor Tensor::from(const std::vector<float>&, const Shape&);
template Tensor Tensor::from(const std::vector<double>&, const Shape&);
template Tensor Tensor::from(const std::vector<int32_t>&, const Shape&);
template Tensor Tensor::from(const std::vector<int64_t>&, const Shape&);
template Tensor Tensor::from(const std::vector<uint8_t>&, const Shape&);
template float* Tensor::data<float>() const;
template double* Tensor::data<double>() const;
template int32_t* Tensor::data<int32_t>() const;
template int64_t* Tensor::data<int64_t>() const;
template uint8_t* Tensor::data<uint8_t>() const;
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<int32_t> Tensor::to_vector() const;
template std::vector<int64_t> Tensor::to_vector() const;
template std::vector<uint8_t> Tensor::to_vector() const;

}  // namespace clade
