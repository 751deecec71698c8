// Collectives: lanes of a warp that meet, lay something on a table, and take something away.
#include <algorithm>
#include <cstring>

#include "tensor/cuda_on_cpu/cuda_on_cpu.h"
#include "tensor/cuda_on_cpu/threads.h"
#include "tensor/error.h"

namespace clade::cuda_on_cpu {

Meeting& Block::meet(const char* op, unsigned mask, const void* mine, size_t bytes, Place place,
                     Combine combine) {
  const int warp = running_ / 32, me = running_ % 32;
  const int lanes = std::min(32, count_ - warp * 32);
  if (lanes < 32) mask &= (1u << lanes) - 1;  // lanes that were never launched are not awaited
  if (!(mask >> me & 1))
    stop_launch(op, "the calling lane in its own mask",
                [&] { return text("lane ", me, ", ", to_text(op, place)); });
  auto& list = meetings_[size_t(warp)];
  Meeting* m = nullptr;
  for (Meeting* open : list)
    if (open->mask == mask && open->arrived != mask) m = open;
  if (!m) {
    if (free_meetings_.empty()) free_meetings_.push_back(new Meeting);
    m = free_meetings_.back();
    free_meetings_.pop_back();
    m->mask = mask, m->arrived = m->left = 0, m->op = op, m->place = place;
    list.push_back(m);
  }
  if (std::strcmp(m->op, op))
    stop_launch(op, "all lanes of the mask in one collective", [&] {
      return text("lane ", me, " in ", to_text(op, place), ", others in ",
                  to_text(m->op, m->place));
    });
  if (bytes) std::memcpy(m->table[me], mine, bytes);
  m->arrived |= 1u << me;
  if (m->arrived != mask) {
    wait(State::at_meeting, op, place);
    return *m;
  }
  if (combine) combine(m->table);
  std::vector<int> waiting;
  for (int i = 0; i < 32; i++)
    if ((mask >> i & 1) && i != me) waiting.push_back(warp * 32 + i);
  release(waiting, order != 0);
  if (order) wait(State::ready, op, place);
  return *m;
}

void Block::leave(Meeting& m) {
  m.left |= 1u << running_ % 32;
  if (m.left != m.mask) return;
  auto& list = meetings_[size_t(running_ / 32)];
  list.erase(std::find(list.begin(), list.end(), &m));
  free_meetings_.push_back(&m);
}

int lane() { return block().running() % 32; }

void exchange(const char* op, unsigned mask, const void* mine, size_t bytes, int source, void* out,
              Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, mask, mine, bytes, place, nullptr);
  if (source < 0) source = lane();
  if (!(m.mask >> source & 1))
    stop_launch(op, "a source lane that is in the mask", [&] {
      return text("lane ", lane(), " reading lane ", source, ", ", to_text(op, place));
    });
  std::memcpy(out, m.table[source], bytes);
  b.leave(m);
}

void combine_lanes(const char* op, const void* mine, size_t bytes, Combine combine, void* out,
                   size_t out_bytes, Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, ~0u, mine, bytes, place, combine);
  std::memcpy(out, m.table[lane()], out_bytes);
  b.leave(m);
}

unsigned ballot(const char* op, unsigned mask, bool predicate, Place place) {
  Block& b = block();
  Meeting& m = b.meet(op, mask, &predicate, sizeof predicate, place, nullptr);
  unsigned votes = 0;
  for (int i = 0; i < 32; i++)
    if (m.mask >> i & 1) votes |= unsigned(m.table[i][0] != 0) << i;
  b.leave(m);
  return votes;
}

void sync_warp(unsigned mask, Place place) {
  Block& b = block();
  Meeting& m =
      b.meet("__syncwarp", mask, nullptr, 0, place, [](Deposit*) { block().pass_sync_warp(); });
  b.leave(m);
}

}  // namespace clade::cuda_on_cpu
