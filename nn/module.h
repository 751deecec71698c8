// Modules: a module is a struct with value members and one visit() that names them.
//
//     struct Classifier {
//       Linear hidden, out;
//       explicit Classifier(Random& rng) : hidden(784, 100, rng), out(100, 10, rng) {}
//       Var operator()(const Var& x) { return out(relu(hidden(x))); }
//       void visit(Visitor& v) { v("hidden", hidden); v("out", out); }
//     };
//
// Parameters, state dicts, training mode, counts, summaries and optimizers all come from visit().
// Names joined by dots and weight layouts are PyTorch's, so weights go both ways through
// safetensors: "hidden.weight" is (100, 784) here and there.
#pragma once

#include <string>
#include <vector>

#include "autograd/var.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"

namespace clade::nn {

// What visit() talks to. A call v(name, member) says what the member is by its type: Var a
// parameter, Tensor a buffer (state that is not trained), Mode the training switch, Random a source
// of noise, any struct with visit() a submodule.
struct Mode {
  bool training = true;
};

class Visitor {
 public:
  virtual ~Visitor() = default;

  void operator()(const char* name, Var& parameter) { on_parameter(path(name), parameter); }
  void operator()(const char* name, Tensor& buffer) { on_buffer(path(name), buffer); }
  void operator()(const char*, Mode& mode) { on_mode(mode); }
  void operator()(const char* name, Random& random) { on_random(path(name), random); }
  template <class Module>
  void operator()(const char* name, Module& module) {
    size_t length = prefix_.size();
    prefix_.append(name).push_back('.');
    module.visit(*this);
    prefix_.resize(length);
  }

 protected:
  // `name` is the full path: "encoder.0.weight". Undefined parameters (no bias) come too.
  virtual void on_parameter(const std::string& name, Var& parameter);
  virtual void on_buffer(const std::string& name, Tensor& buffer);
  virtual void on_mode(Mode& mode);
  virtual void on_random(const std::string& name, Random& random);

 private:
  std::string path(const char* name) const { return prefix_ + name; }
  std::string prefix_;
};

struct NamedParameter {
  std::string name;
  Var* parameter;
};

namespace detail {
// One concrete visitor per question; the templates below only call module.visit().
class Collector : public Visitor {
 public:
  std::vector<NamedParameter> parameters;
  std::vector<SafeTensors::Entry> buffers;

 private:
  void on_parameter(const std::string& name, Var& parameter) override;
  void on_buffer(const std::string& name, Tensor& buffer) override;
};
class ModeSetter : public Visitor {
 public:
  explicit ModeSetter(bool training) : training_(training) {}

 private:
  void on_mode(Mode& mode) override { mode.training = training_; }
  bool training_;
};
class RandomCollector : public Visitor {
 public:
  std::vector<std::string> names;
  std::vector<Random*> randoms;

 private:
  void on_random(const std::string& name, Random& random) override;
};
class Mover : public Visitor {
 public:
  explicit Mover(Device device) : device_(device) {}

 private:
  void on_parameter(const std::string& name, Var& parameter) override;
  void on_buffer(const std::string& name, Tensor& buffer) override;
  Device device_;
  std::vector<std::pair<NodeRef, Var>> moved_;  // parameters of one node are tied, and stay so
};
std::vector<SafeTensors::Entry> state_dict(const Collector& c);
void load_state_dict(const Collector& c, const std::vector<SafeTensors::Entry>& state);
std::string summary(const Collector& c);
}  // namespace detail

// Defined parameters, in visiting order.
template <class Module>
std::vector<NamedParameter> parameters(Module& module) {
  detail::Collector c;
  module.visit(c);
  return c.parameters;
}

// All parameters and buffers by name. The tensors share the module's memory.
template <class Module>
std::vector<SafeTensors::Entry> state_dict(Module& module) {
  detail::Collector c;
  module.visit(c);
  return detail::state_dict(c);
}

// Copies values into the module. Every name must be there, with its shape, and no other: else Error
// that lists what is missing or too much.
template <class Module>
void load_state_dict(Module& module, const std::vector<SafeTensors::Entry>& state) {
  detail::Collector c;
  module.visit(c);
  detail::load_state_dict(c, state);
}

template <class Module>
void set_training(Module& module, bool training) {
  detail::ModeSetter setter(training);
  module.visit(setter);
}

// Parameters and floating buffers move to the device; counters (whole numbers) stay on the CPU,
// where they are counted. Before the ParameterArena is made, which takes the module's device.
template <class Module>
void move_to(Module& module, Device device) {
  detail::Mover mover(device);
  module.visit(mover);
}

template <class Module>
int64_t count_parameters(Module& module) {
  int64_t n = 0;
  for (const NamedParameter& p : parameters(module)) n += p.parameter->value().numel();
  return n;
}

// One line a tensor: name, shape, elements; then the total.
template <class Module>
std::string summary(Module& module) {
  detail::Collector c;
  module.visit(c);
  return detail::summary(c);
}

}  // namespace clade::nn
