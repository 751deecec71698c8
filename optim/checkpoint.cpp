#include "optim/checkpoint.h"

#include <bit>
#include <charconv>

namespace clade::optim::detail {
namespace {

constexpr const char* kEpoch = "epoch";

void restore(const std::string& path, const SafeTensors& file, const std::string& prefix,
             std::vector<SafeTensors::Entry>& entries) {
  for (SafeTensors::Entry& entry : entries) {
    const Tensor* saved = file.find(prefix + entry.name);
    if (!saved || !(saved->shape() == entry.tensor.shape()) ||
        saved->dtype() != entry.tensor.dtype())
      fail("load_checkpoint", text(prefix, entry.name, " as ", entry.tensor, " in ", path),
           saved ? text(*saved) : std::string("none"),
           "resume with the options that the run was started with");
  }
  for (SafeTensors::Entry& entry : entries) entry.tensor.copy_(*file.find(prefix + entry.name));
}

}  // namespace

void save(const std::string& path, const Parts& parts, const Checkpoint& c) {
  SafeTensors file;
  for (const SafeTensors::Entry& e : parts.model) file.add("model." + e.name, e.tensor);
  for (const SafeTensors::Entry& e : parts.optimizer) file.add("optimizer." + e.name, e.tensor);
  for (size_t i = 0; i < parts.randoms.size(); i++) {
    const Random& r = *parts.randoms[i];
    file.add("random." + parts.random_names[i],
             Tensor::from({std::bit_cast<int64_t>(r.seed()), std::bit_cast<int64_t>(r.stream()),
                           std::bit_cast<int64_t>(r.position())},
                          {3}));
  }
  for (const SafeTensors::Entry& e : c.history) file.add("history." + e.name, e.tensor);
  file.metadata = c.metadata;
  file.metadata.push_back({kEpoch, std::to_string(c.epoch)});
  save_safetensors(path, file);
}

Checkpoint load(const std::string& path, Parts& parts) {
  SafeTensors file = load_safetensors(path);
  restore(path, file, "model.", parts.model);
  restore(path, file, "optimizer.", parts.optimizer);
  for (size_t i = 0; i < parts.randoms.size(); i++) {
    std::vector<int64_t> r = file.at("random." + parts.random_names[i]).to_vector<int64_t>();
    if (r.size() != 3)
      fail("load_checkpoint", text("3 numbers for random.", parts.random_names[i]), text(r.size()));
    *parts.randoms[i] = Random(std::bit_cast<uint64_t>(r[0]), std::bit_cast<uint64_t>(r[1]),
                               std::bit_cast<uint64_t>(r[2]));
  }
  Checkpoint c;
  for (const SafeTensors::Entry& e : file.tensors)
    if (e.name.starts_with("history.")) c.history.push_back({e.name.substr(8), e.tensor});
  const std::string* epoch = file.note(kEpoch);
  if (!epoch ||
      std::from_chars(epoch->data(), epoch->data() + epoch->size(), c.epoch).ec != std::errc{})
    fail("load_checkpoint", text("an epoch in the metadata of ", path), epoch ? *epoch : "none");
  for (const SafeTensors::Text& note : file.metadata)
    if (note.key != kEpoch) c.metadata.push_back(note);
  return c;
}

}  // namespace clade::optim::detail
