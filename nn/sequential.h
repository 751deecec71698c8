// Sequential: layers one after another; anything with Var operator()(const Var&) and visit().
//
//     Sequential encoder(Linear(784, 500, rng), ReLU{}, Linear(500, 10, rng));
//
// Its layers are named "0", "1", ... as in PyTorch. A layer that can work out the ReLU or LeakyReLU
// after it in its own pass over memory (Linear, BatchNorm, convolutions) is asked to: such a pair
// makes one node of the graph, with the same numbers.
#pragma once

#include <utility>
#include <vector>

#include "nn/module.h"

namespace clade::nn {

class Sequential {
 public:
  Sequential() = default;
  template <class First, class... Rest>
  requires(!std::is_same_v<std::remove_cvref_t<First>, Sequential> ||
           sizeof...(Rest) > 0) explicit Sequential(First first, Rest... rest) {
    add(std::move(first));
    (add(std::move(rest)), ...);
  }
  Sequential(Sequential&& other) noexcept : layers_(std::move(other.layers_)) {
    other.layers_.clear();
  }
  Sequential& operator=(Sequential&& other) noexcept {
    std::swap(layers_, other.layers_);
    return *this;
  }
  ~Sequential() {
    for (Layer* layer : layers_) delete layer;
  }

  template <class L>
  Sequential& add(L layer) {
    layers_.push_back(new LayerOf<L>(std::move(layer)));
    return *this;
  }
  size_t size() const { return layers_.size(); }
  // Layer i, where it is an L; else null.
  template <class L>
  L* layer(size_t i) {
    auto* found = dynamic_cast<LayerOf<L>*>(layers_.at(i));
    return found ? &found->layer : nullptr;
  }

  Var operator()(const Var& x) { return first(layers_.size(), x); }
  // The first `count` layers alone.
  Var first(size_t count, const Var& x) {
    Var y = x;
    for (size_t i = 0; i < count; i++) {
      const double* slope = nullptr;
      if (layers_[i]->takes_slope() && i + 1 < count) slope = layers_[i + 1]->slope();
      if (slope && !(*slope >= 0)) slope = nullptr;
      y = slope ? layers_[i]->apply(y, *slope) : layers_[i]->apply(y);
      i += slope != nullptr;
    }
    return y;
  }
  void visit(Visitor& v) {
    for (size_t i = 0; i < layers_.size(); i++) v(std::to_string(i).c_str(), *layers_[i]);
  }

 private:
  struct Layer {
    virtual ~Layer() = default;
    virtual Var apply(const Var& x) = 0;
    virtual bool takes_slope() const = 0;  // of an activation after it
    virtual Var apply(const Var& x, double slope) = 0;
    virtual const double* slope() const = 0;  // null: no activation x > 0 ? x : slope x
    virtual void visit(Visitor& v) = 0;
  };
  template <class L>
  struct LayerOf final : Layer {
    L layer;
    explicit LayerOf(L&& l) : layer(std::move(l)) {}
    Var apply(const Var& x) override { return layer(x); }
    bool takes_slope() const override { return kTakesSlope; }
    Var apply(const Var& x, [[maybe_unused]] double slope) override {
      if constexpr (kTakesSlope) {
        return layer(x, slope);
      } else {
        return layer(x);
      }
    }
    const double* slope() const override {
      if constexpr (requires { layer.slope; }) {
        return &layer.slope;
      } else {
        return nullptr;
      }
    }
    static constexpr bool kTakesSlope = requires(L l, const Var& x) { l(x, 0.5); };
    void visit(Visitor& v) override { layer.visit(v); }
  };
  std::vector<Layer*> layers_;
};

}  // namespace clade::nn
