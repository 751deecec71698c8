// Checkpoints: model, optimizer, random state and place of the run in one safetensors file, written
// under a temporary name and renamed. A run that is killed goes on from the last one and ends with
// the same bits as a run that was not.
//
//     model.<name>      parameters and buffers          optimizer.<name>   its state
//     random.<name>     (seed, stream, position) of every Random that the model draws from
//     history           anything that the caller adds (loss curves)
//     metadata          epoch, optimizer (its kind), and the caller's own strings (the options of
//                       the run)
#pragma once

#include "optim/optimizer.h"

namespace clade::optim {

struct Checkpoint {
  int64_t epoch = 0;                             // epochs that are done
  std::vector<SafeTensors::Text> metadata = {};  // e.g. {"options", json}
  State history = {};                            // extra tensors, by name
};

namespace detail {
struct Parts {
  std::vector<SafeTensors::Entry> model;
  State optimizer;
  const char* optimizer_kind;
  std::vector<std::string> random_names;
  std::vector<Random*> randoms;
};
void save(const std::string& path, const Parts& parts, const Checkpoint& c);
Checkpoint load(const std::string& path, Parts& parts);

template <class Module, class Optimizer>
Parts parts_of(Module& module, Optimizer& optimizer) {
  nn::detail::RandomCollector randoms;
  module.visit(randoms);
  return {nn::state_dict(module), optimizer.state(), Optimizer::kKind, randoms.names,
          randoms.randoms};
}
}  // namespace detail

template <class Module, class Optimizer>
void save_checkpoint(const std::string& path, Module& module, Optimizer& optimizer,
                     const Checkpoint& c) {
  detail::save(path, detail::parts_of(module, optimizer), c);
}

// Restores module and optimizer in place. Throws Error when the file does not fit them, or holds
// more than they do; they are then as they were.
template <class Module, class Optimizer>
Checkpoint load_checkpoint(const std::string& path, Module& module, Optimizer& optimizer) {
  detail::Parts parts = detail::parts_of(module, optimizer);
  return detail::load(path, parts);
}

}  // namespace clade::optim
