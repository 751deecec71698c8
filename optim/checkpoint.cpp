#include "optim/checkpoint.h"

#include <bit>
#include <charconv>
#include <set>

namespace clade::optim::detail {
namespace {

constexpr const char* kEpoch = "epoch";
constexpr const char* kOptimizer = "optimizer";
constexpr const char* kCure = "resume with the options that the run was started with";

Tensor as_tensor(const Random& r) {
  return Tensor::from({std::bit_cast<int64_t>(r.seed()), std::bit_cast<int64_t>(r.stream()),
                       std::bit_cast<int64_t>(r.position())},
                      {3});
}

Random as_random(const Tensor& t) {
  const int64_t* r = t.data<int64_t>();
  return Random(std::bit_cast<uint64_t>(r[0]), std::bit_cast<uint64_t>(r[1]),
                std::bit_cast<uint64_t>(r[2]));
}

// All that a file holds of these parts, by its name there. The Randoms are copies.
std::vector<SafeTensors::Entry> entries_of(const Parts& parts) {
  std::vector<SafeTensors::Entry> all;
  for (const SafeTensors::Entry& e : parts.model) all.push_back({"model." + e.name, e.tensor});
  for (const SafeTensors::Entry& e : parts.optimizer)
    all.push_back({"optimizer." + e.name, e.tensor});
  for (size_t i = 0; i < parts.randoms.size(); i++)
    all.push_back({"random." + parts.random_names[i], as_tensor(*parts.randoms[i])});
  return all;
}

bool is_history(const SafeTensors::Entry& e) { return e.name.starts_with("history."); }

// Throws unless the file has these entries, with these shapes and dtypes, and no others.
void require_same(const std::string& path, const SafeTensors& file,
                  const std::vector<SafeTensors::Entry>& entries) {
  std::set<std::string_view> names;
  for (const SafeTensors::Entry& e : entries) {
    names.insert(e.name);
    const Tensor* saved = file.find(e.name);
    if (!saved || !(saved->shape() == e.tensor.shape()) || saved->dtype() != e.tensor.dtype())
      fail("load_checkpoint", text(e.name, " as ", e.tensor, " in ", path),
           saved ? text(*saved) : std::string("none"), kCure);
  }
  for (const SafeTensors::Entry& e : file.tensors)
    if (!is_history(e) && !names.contains(e.name))
      fail("load_checkpoint", text("no ", e.name, " in ", path), text(e.tensor), kCure);
}

int64_t epoch_of(const std::string& path, const SafeTensors& file) {
  const std::string* note = file.note(kEpoch);
  const std::string digits = note ? *note : "";
  int64_t epoch = -1;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  if (problem != std::errc{} || end != digits.data() + digits.size() || epoch < 0)
    fail("load_checkpoint", text("an epoch of 0 or more in the metadata of ", path),
         note ? text('"', *note, '"') : "none");
  return epoch;
}

}  // namespace

void save(const std::string& path, const Parts& parts, const Checkpoint& c) {
  SafeTensors file;
  file.tensors = entries_of(parts);
  for (SafeTensors::Entry& e : file.tensors) e.tensor = e.tensor.to(Device::cpu());
  for (const SafeTensors::Entry& e : c.history) file.add("history." + e.name, e.tensor);
  file.metadata = c.metadata;
  file.metadata.push_back({kEpoch, std::to_string(c.epoch)});
  file.metadata.push_back({kOptimizer, parts.optimizer_kind});
  save_safetensors(path, file);
}

Checkpoint load(const std::string& path, Parts& parts) {
  const SafeTensors file = load_safetensors(path);
  std::vector<SafeTensors::Entry> entries = entries_of(parts);
  const std::string* kind = file.note(kOptimizer);
  if (!kind || *kind != parts.optimizer_kind)
    fail("load_checkpoint", text("the state of ", parts.optimizer_kind, " in ", path),
         kind ? text("that of ", *kind) : "none", kCure);
  require_same(path, file, entries);
  Checkpoint c;
  c.epoch = epoch_of(path, file);
  for (const SafeTensors::Entry& e : file.tensors)
    if (is_history(e)) c.history.push_back({e.name.substr(8), e.tensor});
  for (const SafeTensors::Text& note : file.metadata)
    if (note.key != kEpoch && note.key != kOptimizer) c.metadata.push_back(note);

  // The file fits: from here on nothing is refused, so nothing is left half loaded.
  for (SafeTensors::Entry& e : entries) e.tensor.copy_(file.at(e.name).to(e.tensor.device()));
  for (size_t i = 0; i < parts.randoms.size(); i++)
    *parts.randoms[i] = as_random(file.at("random." + parts.random_names[i]));
  return c;
}

}  // namespace clade::optim::detail
