#include "nn/module.h"

#include <algorithm>

namespace clade::nn {

void Visitor::on_parameter(const std::string&, Var&) {}
void Visitor::on_buffer(const std::string&, Tensor&) {}
void Visitor::on_mode(Mode&) {}
void Visitor::on_random(const std::string&, Random&) {}

namespace detail {

void Collector::on_parameter(const std::string& name, Var& parameter) {
  if (parameter.defined()) parameters.push_back({name, &parameter});
}
void Collector::on_buffer(const std::string& name, Tensor& buffer) {
  if (buffer.defined()) buffers.push_back({name, buffer});
}
void Mover::on_parameter(const std::string&, Var& parameter) {
  if (!parameter.defined() || parameter.value().device() == device_) return;
  for (const auto& [node, var] : moved_)
    if (node.get() == parameter.node().get()) {
      parameter = var;
      return;
    }
  const NodeRef old = parameter.node();
  parameter = Var::parameter(parameter.value().to(device_));
  moved_.push_back({old, parameter});
}
void Mover::on_buffer(const std::string&, Tensor& buffer) {
  if (buffer.defined() && is_floating(buffer.dtype())) buffer = buffer.to(device_);
}
void RandomCollector::on_random(const std::string& name, Random& random) {
  names.push_back(name);
  randoms.push_back(&random);
}

std::vector<SafeTensors::Entry> state_dict(const Collector& c) {
  std::vector<SafeTensors::Entry> state;
  for (const NamedParameter& p : c.parameters) state.push_back({p.name, p.parameter->value()});
  state.insert(state.end(), c.buffers.begin(), c.buffers.end());
  return state;
}

void load_state_dict(const Collector& c, const std::vector<SafeTensors::Entry>& state) {
  auto find = [](const std::vector<SafeTensors::Entry>& list, const std::string& name) {
    return std::find_if(list.begin(), list.end(),
                        [&](const SafeTensors::Entry& e) { return e.name == name; });
  };
  std::vector<SafeTensors::Entry> mine = state_dict(c);
  std::string wrong;
  for (const SafeTensors::Entry& entry : mine) {
    auto other = find(state, entry.name);
    if (other == state.end()) {
      wrong += text(" missing ", entry.name, ";");
    } else if (!(other->tensor.shape() == entry.tensor.shape())) {
      wrong += text(" ", entry.name, " is ", other->tensor.shape(), " instead of ",
                    entry.tensor.shape(), ";");
    }
  }
  for (const SafeTensors::Entry& entry : state)
    if (find(mine, entry.name) == mine.end()) wrong += text(" unknown ", entry.name, ";");
  if (!wrong.empty()) {
    wrong.pop_back();
    fail("load_state_dict", "the module's own names and shapes", wrong.substr(1),
         "load it into a module built with the same options");
  }
  for (SafeTensors::Entry& entry : mine)
    entry.tensor.copy_(find(state, entry.name)->tensor.to(entry.tensor.device()));
}

std::string summary(const Collector& c) {
  size_t width = 4;
  for (const NamedParameter& p : c.parameters) width = std::max(width, p.name.size());
  for (const SafeTensors::Entry& b : c.buffers) width = std::max(width, b.name.size());
  auto line = [&](const std::string& name, const std::string& shape, const std::string& count) {
    std::string out = name + std::string(width + 2 - name.size(), ' ') + shape;
    if (out.size() < width + 22) out.append(width + 22 - out.size(), ' ');
    return out + "  " + count + "\n";
  };
  int64_t total = 0;
  std::string out = line("name", "shape", "elements");
  for (const NamedParameter& p : c.parameters) {
    total += p.parameter->value().numel();
    out += line(p.name, text(p.parameter->shape()), text(p.parameter->value().numel()));
  }
  for (const SafeTensors::Entry& b : c.buffers)
    out += line(b.name, text(b.tensor.shape()), text(b.tensor.numel(), "  (buffer)"));
  return out + text(total, " parameters\n");
}

}  // namespace detail
}  // namespace clade::nn
