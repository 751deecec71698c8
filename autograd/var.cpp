#include "autograd/var.h"

#include <algorithm>

#include "autograd/on_device.h"
#include "autograd/op.h"
#include "autograd/record.h"
#include "kernels/elementwise/elementwise.h"

namespace clade {
namespace {

thread_local bool recording = true;
std::atomic<uint64_t> next_sequence = 1;
thread_local const Op* running = nullptr;  // the op whose closure runs now, for messages

}  // namespace

// -- nodes -------------------------------------------------------------------------------------

NodeRef::NodeRef(Node* node) : node_(node) {
  if (node_) node_->owners_++;
}
NodeRef::NodeRef(const NodeRef& other) : NodeRef(other.node_) {}

// The last owner takes the node down. Its inputs may be last owners in turn: they are put on a list
// that the outermost call works off, so the depth of the stack does not grow with the graph.
NodeRef::~NodeRef() {
  if (!node_ || --node_->owners_ > 0) return;
  thread_local std::vector<Node*> doomed;
  thread_local bool working = false;
  doomed.push_back(node_);
  if (working) return;
  working = true;
  while (!doomed.empty()) {
    Node* node = doomed.back();
    doomed.pop_back();
    delete node;
  }
  working = false;
}

void Node::accumulate(Tensor gradient) {
  if (!(gradient.shape() == shape) || gradient.dtype() != dtype)
    fail("backward", text("a gradient ", dtype, " ", shape), text(gradient),
         "the op's backward closure is wrong");
  // Not to be written to if somebody else sees it, or if it repeats elements.
  auto own = [](const Tensor& t) { return t.storage().owners() == 1 && t.is_dense(); };
  if (!grad.defined()) {  // a leaf's stays, and its user may write to it
    grad = is_leaf() && !own(gradient) ? gradient.clone() : std::move(gradient);
    return;
  }
  if (grad_is_zero) {
    grad_is_zero = false;
    copy_elements(gradient, grad);
    return;
  }
  if (!fixed_grad && !own(grad)) grad = grad.clone();
  if (gradient.device() != grad.device())
    fail("backward", text("a gradient on ", grad.device()), text(gradient),
         "move it with .to(Device)");
  on_device(grad,
            [&](auto context) { kernels::accumulate(context, gradient.view(), grad.view()); });
}

void Node::settle_grad() {
  if (grad_is_zero) grad.fill_(0);
  grad_is_zero = false;
}

// -- Var ---------------------------------------------------------------------------------------

Var Var::parameter(Tensor value, Tensor grad) {
  if (!is_floating(value.dtype())) fail("parameter", "an f32 or f64 tensor", text(value));
  Node* leaf = new Node;
  NodeRef ref(leaf);
  leaf->shape = value.shape();
  leaf->dtype = value.dtype();
  leaf->device = value.device();
  if (grad.defined()) {
    if (!(grad.shape() == value.shape()) || grad.dtype() != value.dtype())
      fail("parameter", text("a gradient like the value, ", value), text(grad));
    leaf->grad = std::move(grad);
    leaf->fixed_grad = true;
  }
  return Var(std::move(value), std::move(ref));
}

const Tensor& Var::grad() const {
  if (!node_ || !node_->is_leaf())
    fail("grad", "a parameter (Var::parameter)",
         node_ ? text("the result of ", node_->op->name) : std::string("a constant"));
  node_->settle_grad();
  return node_->grad;
}

void Var::zero_grad() const {
  discard_grad();
  if (node_) node_->settle_grad();
}

void Var::discard_grad() const {
  if (!node_) return;
  if (node_->fixed_grad) {
    node_->grad_is_zero = true;
  } else {
    node_->grad = {};
  }
}

// -- recording ---------------------------------------------------------------------------------

NoGrad::NoGrad() : before_(recording) { recording = false; }
NoGrad::~NoGrad() { recording = before_; }
bool grad_enabled() { return recording; }

Saved::Saved(Tensor t) : tensor_(std::move(t)) {
  if (tensor_.defined()) version_ = tensor_.storage().version();
}

const Tensor& Saved::get() const {
  if (tensor_.defined() && tensor_.storage().version() != version_)
    fail(running ? running->name : "backward",
         "the tensor that was saved in the forward pass to be unchanged",
         text("a tensor changed in place by ", tensor_.storage().writer()),
         "call backward() before that step, or change a clone()");
  return tensor_;
}

bool Gradients::needs(int input) const { return bool(node_.inputs[size_t(input)]); }
void Gradients::accumulate(int input, Tensor gradient) {
  node_.inputs[size_t(input)]->accumulate(std::move(gradient));
}
bool Gradients::has_place(int input) const {
  const Node& node = *node_.inputs[size_t(input)];
  return node.fixed_grad && node.grad.is_contiguous();
}
bool Gradients::place_is_zero(int input) const { return node_.inputs[size_t(input)]->grad_is_zero; }
Tensor Gradients::place(int input) const { return node_.inputs[size_t(input)]->grad; }
Tensor Gradients::fresh(int input) const {
  const Node& node = *node_.inputs[size_t(input)];
  return Tensor::empty(node.shape, node.dtype, Layout::row_major, node.device);
}
void Gradients::written(int input) { node_.inputs[size_t(input)]->grad_is_zero = false; }

namespace detail {

bool any_requires_grad(const Var* inputs, size_t count) {
  return std::any_of(inputs, inputs + count, [](const Var& v) { return v.requires_grad(); });
}

Var record(const Op& op, Tensor y, const Var* inputs, size_t count, Closure* closure) {
  Node* node = new Node;
  NodeRef ref(node);
  node->op = &op;
  node->closure = closure;
  node->shape = y.shape();
  node->dtype = y.dtype();
  node->device = y.device();
  node->sequence = next_sequence++;
  node->inputs.reserve(count);
  for (size_t i = 0; i < count; i++) node->inputs.push_back(inputs[i].node());
  return Var(std::move(y), std::move(ref));
}

}  // namespace detail

// -- backward ----------------------------------------------------------------------------------

namespace {

void run_closure(Node& node) {
  if (node.spent)
    fail("backward", text("a graph that was not walked before (", node.op->name, ")"),
         "a second backward() through it", "compute the loss again");
  node.spent = true;
  const Op* outer = running;
  running = node.op;
  struct Restore {
    const Op* outer;
    ~Restore() { running = outer; }
  } restore{outer};
  Gradients gradients(node);
  NoGrad no_grad;
  node.closure->run(gradients, node.grad);
  delete node.closure;  // frees the saved tensors now, not when the graph goes
  node.closure = nullptr;
  node.grad = {};
}

}  // namespace

// Nodes wait in a heap ordered by creation: a node is made after its inputs, so when it is taken
// all its users have run and its gradient is complete.
void backward(const Var& loss, const Tensor& seed) {
  if (!loss.requires_grad())
    fail("backward", "a loss that depends on a parameter", "a constant",
         "make the weights with Var::parameter and leave NoGrad");
  if (!seed.defined() && loss.value().numel() != 1)
    fail("backward", "a loss with one element", text(loss.value()), "sum() or mean() it first");
  loss.node()->accumulate(
      seed.defined() ? seed : Tensor::full(loss.shape(), 1, loss.dtype(), loss.value().device()));
  if (loss.node()->is_leaf()) return;

  auto younger = [](const NodeRef& a, const NodeRef& b) { return a->sequence < b->sequence; };
  std::vector<NodeRef> heap{loss.node()};
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), younger);
    NodeRef node = std::move(heap.back());
    heap.pop_back();
    node->queued = false;
    run_closure(*node);
    for (const NodeRef& input : node->inputs) {
      if (!input || input->is_leaf() || input->queued || !input->grad.defined()) continue;
      input->queued = true;
      heap.push_back(input);
      std::push_heap(heap.begin(), heap.end(), younger);
    }
  }
}

}  // namespace clade
