// Readers of tiles. Each looks at a segment of keys at once, for most segments hold nothing; only
// in the others does it look more closely.
#include "kernels/distance/tiles.h"

#include "tensor/vectors.h"

namespace clade::kernels {
namespace {

constexpr int64_t kSegment = 64, kPart = 16, kLanes = 32;

template <int64_t Count, class Test>
int hits(int64_t from, Test&& test) {
  int found = 0;
  for (int64_t j = from; j < from + Count; j++) found += test(j);
  return found;
}

// out = the j in [0, count) for which test(j), rising.
template <class Test>
int64_t find(int64_t count, int32_t* out, Test&& test) {
  int64_t found = 0, j0 = 0;
  for (; j0 + kSegment <= count; j0 += kSegment) {
    if (hits<kSegment>(j0, test) == 0) continue;
    for (int64_t p = j0; p < j0 + kSegment; p += kPart) {
      if (hits<kPart>(p, test) == 0) continue;
      for (int64_t j = p; j < p + kPart; j++)
        if (test(j)) out[found++] = int32_t(j);
    }
  }
  for (; j0 < count; j0++)
    if (test(j0)) out[found++] = int32_t(j0);
  return found;
}

}  // namespace

template <class T>
int64_t find_at_most(const T* keys, int64_t count, T bound, int32_t* out) {
  int64_t found = 0;
  with_vectors([&] { found = find(count, out, [&](int64_t j) { return !(keys[j] > bound); }); });
  return found;
}

template <class T>
int64_t find_at_most_either(const T* keys, int64_t count, T add, T bound, const T* bounds,
                            int32_t* out) {
  int64_t found = 0;
  with_vectors([&] {
    found = find(count, out, [&](int64_t j) {
      return !(keys[j] + add > (bounds[j] > bound ? bounds[j] : bound));
    });
  });
  return found;
}

template <class T>
KeyCounts count_keys(const T* keys, int64_t count, const T* margin, T high, T low) {
  KeyCounts counts;
  with_vectors([&, k = keys, m = margin, high, low] {
    int at_most = 0, in_doubt = 0;
    for (int64_t j = 0; j < count; j++) {
      const int below = !(k[j] > high), unsure = !(k[j] + m[j] <= low);
      at_most += below;
      in_doubt += below & unsure;
    }
    counts = {at_most, in_doubt};
  });
  return counts;
}

template <class T>
int64_t find_in_doubt(const T* keys, int64_t count, const T* margin, T high, T low, int32_t* out) {
  int64_t found = 0;
  with_vectors([&] {
    found = find(count, out, [&](int64_t j) {
      return int(!(keys[j] > high)) & int(!(keys[j] + margin[j] <= low));
    });
  });
  return found;
}

template <class T>
T smallest_key(const T* keys, int64_t count) {
  T least = std::numeric_limits<T>::infinity();
  with_vectors([&] {
    T lane[kLanes];
    for (T& l : lane) l = std::numeric_limits<T>::infinity();
    int64_t j = 0;
    for (; j + kLanes <= count; j += kLanes)
      for (int64_t l = 0; l < kLanes; l++) lane[l] = keys[j + l] < lane[l] ? keys[j + l] : lane[l];
    for (; j < count; j++) lane[0] = keys[j] < lane[0] ? keys[j] : lane[0];
    for (T l : lane) least = l < least ? l : least;
  });
  return least;
}

template int64_t find_at_most<float>(const float*, int64_t, float, int32_t*);
template int64_t find_at_most<double>(const double*, int64_t, double, int32_t*);
template int64_t find_at_most_either<float>(const float*, int64_t, float, float, const float*,
                                            int32_t*);
template int64_t find_at_most_either<double>(const double*, int64_t, double, double, const double*,
                                             int32_t*);
template KeyCounts count_keys<float>(const float*, int64_t, const float*, float, float);
template KeyCounts count_keys<double>(const double*, int64_t, const double*, double, double);
template int64_t find_in_doubt<float>(const float*, int64_t, const float*, float, float, int32_t*);
template int64_t find_in_doubt<double>(const double*, int64_t, const double*, double, double,
                                       int32_t*);
template float smallest_key<float>(const float*, int64_t);
template double smallest_key<double>(const double*, int64_t);

}  // namespace clade::kernels
