// record: how an op enters the graph. Forward and backward of one op stand side by side:
//
//     Var exp(const Var& x) {
//       Tensor y = ...;
//       return record(op::exp, y, {x}, [y = save(y)](Gradients& g, const Tensor& dy) {
//         g.add(0, [&] { return multiply(dy, y.get()); });
//       });
//     }
//
// The closure runs at most once and is destroyed right after, with the tensors that it saved.
#pragma once

#include <atomic>
#include <initializer_list>
#include <utility>

#include "autograd/var.h"

namespace clade {

// A tensor kept for the backward pass, with the version it had. get() throws Error, naming the op
// that needs it and the op that wrote to it since, when it was changed in place.
class Saved {
 public:
  Saved() = default;
  explicit Saved(Tensor t);
  const Tensor& get() const;
  bool defined() const { return tensor_.defined(); }

 private:
  Tensor tensor_;
  int64_t version_ = 0;
};

inline Saved save(const Tensor& t) { return Saved(t); }
inline Saved save(const Var& v) { return Saved(v.value()); }

// What a backward closure writes to: input i's gradient, computed only if somebody needs it.
class Gradients {
 public:
  explicit Gradients(Node& node) : node_(node) {}
  bool needs(int input) const;
  template <class Make>
  void add(int input, Make&& make) {
    if (needs(input)) accumulate(input, make());
  }
  // The same for a gradient that can be added where it belongs, which spares a large weight's one a
  // pass or two over memory: write(to, beta) makes `to` = beta `to` + gradient. With beta 0, `to`
  // is not to be read.
  template <class Write>
  void write(int input, Write&& write_to) {
    if (!needs(input)) return;
    const bool placed = has_place(input);
    const double beta = placed && !place_is_zero(input) ? 1 : 0;
    const Tensor to = placed ? place(input) : fresh(input);
    write_to(to, beta);
    placed ? written(input) : accumulate(input, to);
  }
  // The same for a gradient that is made as a whole: write(to) overwrites `to`.
  template <class Write>
  void overwrite(int input, Write&& write_to) {
    if (!needs(input)) return;
    const bool placed = has_place(input) && place_is_zero(input);
    const Tensor to = placed ? place(input) : fresh(input);
    write_to(to);
    placed ? written(input) : accumulate(input, to);
  }

 private:
  void accumulate(int input, Tensor gradient);
  // The view that a leaf's gradient was given, if a kernel can write there.
  bool has_place(int input) const;
  bool place_is_zero(int input) const;  // or to be taken for it
  Tensor place(int input) const;
  Tensor fresh(int input) const;
  void written(int input);
  Node& node_;
};

namespace detail {
struct Closure {
  virtual ~Closure() = default;
  virtual void run(Gradients& g, const Tensor& dy) = 0;
};
template <class F>
struct ClosureOf final : Closure {
  F f;
  explicit ClosureOf(F&& function) : f(std::move(function)) {}
  void run(Gradients& g, const Tensor& dy) override { f(g, dy); }
};
bool any_requires_grad(const Var* inputs, size_t count);
Var record(const Op& op, Tensor y, const Var* inputs, size_t count, Closure* closure);

template <class Backward>
Var record_range(const Op& op, Tensor y, const Var* inputs, size_t count, Backward&& backward) {
  if (!grad_enabled() || !any_requires_grad(inputs, count)) return Var(std::move(y));
  return record(op, std::move(y), inputs, count,
                new ClosureOf<Backward>(static_cast<Backward&&>(backward)));
}
}  // namespace detail

template <class Backward>
Var record(const Op& op, Tensor y, std::initializer_list<Var> inputs, Backward backward) {
  return detail::record_range(op, std::move(y), inputs.begin(), inputs.size(), std::move(backward));
}
template <class Backward>
Var record(const Op& op, Tensor y, const std::vector<Var>& inputs, Backward backward) {
  return detail::record_range(op, std::move(y), inputs.data(), inputs.size(), std::move(backward));
}

// One recorded op, or a leaf.
class Node {
 public:
  const Op* op = nullptr;       // null for a leaf
  std::vector<NodeRef> inputs;  // null where an input needs no gradient
  detail::Closure* closure = nullptr;
  Tensor grad;  // d loss / d output, gathered during backward()
  Shape shape;
  DType dtype = DType::f32;
  Device device = {};
  uint64_t sequence = 0;  // order of creation: a topological order
  bool queued = false, spent = false;
  bool fixed_grad = false;    // grad is a view given by the caller: add into it
  bool grad_is_zero = false;  // a fixed grad that counts as 0, whatever it holds: discard_grad()

  ~Node() { delete closure; }
  bool is_leaf() const { return op == nullptr; }
  void accumulate(Tensor gradient);
  void settle_grad();  // writes the zeros that grad_is_zero promises

 private:
  friend class NodeRef;
  std::atomic<int> owners_ = 0;
};

}  // namespace clade
