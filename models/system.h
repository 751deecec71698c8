// A system: whatever learns features, and perhaps clusters, of rows without their labels.
//
// The seam by which the program knows of the systems. Each is one file, readable beside its paper,
// which ends in a SystemInfo: its name, what it takes, its settings, how it is made. A new system
// is its file and one line in models/systems.cpp; `clade cluster --model NAME`, `clade systems`,
// `clade assign` and the report then have it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/batches.h"
#include "models/settings.h"
#include "nn/module.h"
#include "tensor/progress.h"

namespace clade::models {

// What a system sees. There is no place for labels: they cannot reach it.
struct Rows {
  Tensor values;  // (n, D), or images (n, C, H, W) channels-last; 0 where missing
  Tensor mask;    // like values, 1 observed, 0 missing; undefined: nothing is missing
  // Where the system is: values and mask lie on the CPU, and go there batch by batch.
  Device device = {};
  int64_t size() const { return values.defined() ? values.size(0) : 0; }
};

constexpr int64_t kRowsAtATime = 512;  // in evaluation

Rows slice(const Rows& rows, int64_t begin, int64_t end);

// What a system is built from, in training and again when its weights are read from a file.
struct Blueprint {
  Shape sample;          // of one row: (D) or (C, H, W)
  int64_t clusters = 0;  // k; 0 for a system that needs none
  Settings settings;
  uint64_t seed = 0;
  Device device = {};  // where its parameters are
};

struct Training {
  std::string checkpoint = {};  // file to write now and then, and to resume from; "": none
  bool resume = false;          // go on from it: the weights end as in an unbroken run
  // Of the run's options, kept in the checkpoint beside a fingerprint of the data; both must agree
  // on resuming.
  std::string description = {};
  double save_every = 1;  // seconds between two checkpoints; 0: after every unit of the training
  std::string pretrained = {};  // a model.safetensors whose autoencoder to start from; "": none
};

// A figure that training follows, one value an epoch (or update of the target).
struct Curve {
  std::string name;
  std::vector<double> values;
};

class System {
 public:
  virtual ~System() = default;

  // Learns from the rows. Throws Error when a loss is no longer finite or the checkpoint is of
  // another run; Cancelled when `progress` asks to stop. Same seed, same bits, at any number of
  // threads.
  virtual void train(const Rows& rows, const Training& training, const Progress& progress) = 0;
  // What the last phase of train() minimises, of one batch: the loss, then the terms that its
  // curves follow; scalars, means over the batch's rows. `epoch` and `step`, counted from 0, name
  // the noise: the same numbers, the same draws. Targets, assignments and neighbours, which a step
  // holds, are those that train() held last.
  virtual std::vector<Var> loss(const data::Batch& batch, int64_t epoch, int64_t step) = 0;

  // Features (n, latent) f32, finite or Error. A row's do not depend on the rows beside it.
  virtual Tensor encode(const Rows& rows, const Progress& progress) = 0;
  // Rows as the decoder gives them back, like rows.values; undefined without a decoder.
  virtual Tensor reconstruct(const Rows&, const Progress&) { return {}; }
  // The cluster of each row, (n) i32; undefined where the system has no clusters of its own.
  virtual Tensor assign(const Rows&, const Progress&) { return {}; }

  // The cluster of each row that train() saw: assign(), where training itself does not say more.
  virtual Tensor clusters(const Rows& rows, const Progress& progress) {
    return assign(rows, progress);
  }

  // All that model.safetensors keeps. What has its final shape from the start is named by visit().
  virtual void visit(nn::Visitor& v) = 0;
  virtual std::vector<SafeTensors::Entry> state() { return nn::state_dict(*this); }
  virtual void load(const std::vector<SafeTensors::Entry>& state) {
    nn::load_state_dict(*this, state);
  }

  std::vector<Curve> curves;  // what train() followed
};

// The one owner of a System.
class SystemPtr {
 public:
  explicit SystemPtr(System* system = nullptr) : system_(system) {}
  SystemPtr(SystemPtr&& other) noexcept : system_(std::exchange(other.system_, nullptr)) {}
  SystemPtr& operator=(SystemPtr&& other) noexcept {
    std::swap(system_, other.system_);
    return *this;
  }
  ~SystemPtr() { delete system_; }
  System& operator*() const { return *system_; }
  System* operator->() const { return system_; }

 private:
  System* system_;
};

struct SystemInfo {
  const char* name;    // as --model takes it
  const char* what;    // one line
  const char* source;  // paper, recipe
  // Images come padded to a side that is a power of two, for the dynamic blocks; else as they are.
  bool power_of_two_images = false;
  bool images_only = false;       // tables are refused
  bool uses_mask = false;         // else a missing value is its 0
  bool needs_clusters = false;    // k must be known before training
  bool takes_pretrained = false;  // starts from an autoencoder, which Training::pretrained may give
  bool more_epochs = false;       // a finished run may be resumed with more epochs
  bool cpu_only = false;          // steps row by row on the CPU: refused on a GPU
  std::vector<Setting> settings = {};
  // Fills the settings that have no value, from the number of rows and the shape of one.
  void (*recipe)(Settings& settings, int64_t rows, const Shape& sample);
  System* (*make)(const Blueprint& blueprint);
};

// Passes over the data where nothing else says: 50 for 70,000 rows, 400 below 5,000.
int64_t epochs_for(int64_t rows);

// All of them, in the order of models/systems.cpp.
const std::vector<SystemInfo>& systems();
// Null where there is none of that name.
const SystemInfo* find_system(const std::string& name);
// Checks shape, k and device against what the system takes (Error), then makes it.
SystemPtr make_system(const SystemInfo& info, const Blueprint& blueprint);

}  // namespace clade::models
