// Var: a Tensor and, when it needs a gradient, the node that made it. Eager, define by run.
//
//     Var w = Var::parameter(randn({3, 2}, rng));
//     Var loss = sum(square(matmul(x, w)));
//     backward(loss);
//     w.grad();                 // d loss / d w
//
// A node is a leaf (a parameter: it keeps its gradient) or the record of one op (its inputs' nodes
// and a closure that computes their gradients). Nodes are counted; a graph lives as long as a Var
// that leads to it, and is taken down without recursion, however long it is. Graphs may be built on
// several threads; one graph, with the parameters that it leads to, belongs to one thread at a
// time.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace clade {

struct Op;
class Node;
class Gradients;

// An intrusive counted pointer to a Node.
class NodeRef {
 public:
  NodeRef() = default;
  explicit NodeRef(Node* node);
  NodeRef(const NodeRef& other);
  NodeRef(NodeRef&& other) noexcept : node_(other.node_) { other.node_ = nullptr; }
  NodeRef& operator=(NodeRef other) noexcept {
    Node* mine = node_;
    node_ = other.node_;
    other.node_ = mine;
    return *this;
  }
  ~NodeRef();

  Node* operator->() const { return node_; }
  Node& operator*() const { return *node_; }
  Node* get() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  Node* node_ = nullptr;
};

class Var {
 public:
  Var() = default;  // undefined: an argument left out, such as no bias
  Var(Tensor value) : value_(static_cast<Tensor&&>(value)) {}  // a constant; implicit on purpose
  Var(Tensor value, NodeRef node)
      : value_(static_cast<Tensor&&>(value)), node_(static_cast<NodeRef&&>(node)) {}
  // A leaf with a gradient. `grad`, when given, is where the gradient accumulates (an arena's
  // view); it must have the value's shape and dtype.
  static Var parameter(Tensor value, Tensor grad = {});

  const Tensor& value() const { return value_; }
  bool defined() const { return value_.defined(); }
  bool requires_grad() const { return bool(node_); }
  Shape shape() const { return value_.shape(); }
  int64_t size(int d) const { return value_.size(d); }
  DType dtype() const { return value_.dtype(); }
  double item() const { return value_.item(); }
  const NodeRef& node() const { return node_; }

  // The accumulated gradient of a parameter; undefined before the first backward().
  // Throws Error for anything but a parameter.
  const Tensor& grad() const;
  void zero_grad() const;  // fills a view that was given with 0, forgets a gradient of its own
  // The same at no cost: a view counts as 0 from now on, and is written by the next backward(), or
  // when grad() reads it.
  void discard_grad() const;
  Var detach() const { return Var(value_); }

 private:
  Tensor value_;
  NodeRef node_;
};

// Computes d loss / d p for each parameter p that `loss` depends on and adds it to p.grad().
// `loss` must have one element, unless `seed` (d something / d loss, same shape) is given. The
// graph is freed on the way: a second backward() through it is an error.
void backward(const Var& loss, const Tensor& seed = {});

// While a NoGrad lives, ops on this thread record nothing.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
bool grad_enabled();

}  // namespace clade
