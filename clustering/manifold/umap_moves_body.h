// Included by one source for each instruction set; everything here has internal linkage.
//
// Lanes is a vector type of the compiler: + - * / < ?: act on 16 floats, in one AVX-512
// instruction, two AVX or four SSE ones, with the same bits. x^b by polynomials, since libm's pow
// costs more than all the rest and works on one number:
//
//   x = m 2^e, m in [sqrt(1/2), sqrt 2):   log2 x = e + 2 / ln 2 (t + t^3/3 + t^5/5 + t^7/7),
//                                          t = (m - 1) / (m + 1)
//   2^y = 2^round(y) sum_k (ln 2 (y - round(y)))^k / k!,   k to 6
//
// Either series is cut below 1e-7 of its value; rounding adds 1e-7 |log2 x^b|.
#include "clustering/manifold/umap_moves.h"

namespace clade::cluster {
namespace {

constexpr int kLanes = 2 * kForces;  // the forces of two edges
constexpr float kClip = 4;
constexpr float kSoftening = 0.001f;

using Lanes = float __attribute__((vector_size(4 * kLanes)));
using IntLanes = int32_t __attribute__((vector_size(4 * kLanes)));

// x^b for normal x > 0; something finite for x = 0.
inline Lanes power(Lanes x, float b) {
  const IntLanes bits = IntLanes(x);
  const IntLanes exponent = (bits - 0x3f3504f3) >> 23;  // 0x3f3504f3: sqrt(1/2)
  const Lanes m = Lanes(bits - (exponent << 23));
  const Lanes t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
  const Lanes series = 1.0f + t2 * (0.333333333f + t2 * (0.2f + t2 * 0.142857143f));
  const Lanes y = b * (__builtin_convertvector(exponent, Lanes) + 2.88539008f * t * series);

  const Lanes low = Lanes{} - 126.0f, high = Lanes{} + 127.0f;
  const Lanes above = y > low ? y : low, within = above < high ? above : high;
  const Lanes round = Lanes{} + 12582912.0f;  // 1.5 * 2^23: adding it leaves no room for a fraction
  const Lanes shifted = within + round;
  const Lanes f = (within - (shifted - round)) * 0.693147181f;
  const Lanes tail = 0.166666667f + f * (0.0416666667f + f * (0.00833333333f + f * 0.00138888889f));
  const IntLanes scale = (IntLanes(shifted) - IntLanes(round) + 127) << 23;
  return (1.0f + (f + f * f * (0.5f + f * tail))) * Lanes(scale);
}

// Lanes 0 .. 7 from a, 8 .. 15 from b.
template <class T, class Scalar>
inline T halves(Scalar a, Scalar b) {
  return T{a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
}

// gap[j] = y_j - place_j for the forces of two edges.
template <int D>
inline void read_gaps(const Moves& moves, const int32_t* head, const int32_t* met, Lanes* gap) {
  const int64_t dimensions = D ? D : moves.dimensions;
  const float *y = moves.position + head[0] * dimensions,
              *z = moves.position + head[1] * dimensions;
  const float* place[kLanes];
  for (int l = 0; l < kLanes; l++)
    place[l] = (l % kForces ? moves.before : moves.position) + met[l] * dimensions;
  if constexpr (D == 2) {
    double pair[kLanes];  // two floats each
    for (int l = 0; l < kLanes; l++) __builtin_memcpy(pair + l, place[l], sizeof(double));
    using Pairs = double __attribute__((vector_size(4 * kLanes)));
    const Pairs p{pair[0], pair[1], pair[2], pair[3], pair[4], pair[5], pair[6], pair[7]};
    const Pairs q{pair[8], pair[9], pair[10], pair[11], pair[12], pair[13], pair[14], pair[15]};
    gap[0] =
        halves<Lanes>(y[0], z[0]) - __builtin_shufflevector(Lanes(p), Lanes(q), 0, 2, 4, 6, 8, 10,
                                                            12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    gap[1] =
        halves<Lanes>(y[1], z[1]) - __builtin_shufflevector(Lanes(p), Lanes(q), 1, 3, 5, 7, 9, 11,
                                                            13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  } else {
    for (int64_t j = 0; j < dimensions; j++)
      gap[j] =
          halves<Lanes>(y[j], z[j]) - Lanes{place[0][j],  place[1][j],  place[2][j],  place[3][j],
                                            place[4][j],  place[5][j],  place[6][j],  place[7][j],
                                            place[8][j],  place[9][j],  place[10][j], place[11][j],
                                            place[12][j], place[13][j], place[14][j], place[15][j]};
  }
}

constexpr IntLanes kNumber{0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};

// What the gaps of two edges are to be multiplied by.
inline Lanes forces(const Moves& moves, const int32_t* head, const int32_t* met, const Lanes* gap,
                    int at) {
  Lanes d2{};
  for (int64_t j = 0; j < moves.dimensions; j++) d2 += gap[j] * gap[j];
  const IntLanes neighbour = kNumber == 0;
  const Lanes p = power(d2, moves.b);  // d^2b
  const Lanes above = neighbour ? moves.attraction * p : Lanes{} + moves.repulsion;
  const Lanes soft = neighbour ? Lanes{} : Lanes{} + kSoftening;
  IntLanes other;
  __builtin_memcpy(&other, met, sizeof(other));
  const IntLanes counts = (other != halves<IntLanes>(head[0], head[1])) & (d2 > Lanes{}) &
                          (kNumber >= moves.first) & (kNumber <= moves.last);
  Lanes force = counts ? above / ((soft + d2) * (1.0f + moves.a * p)) : Lanes{};
  if (moves.extra) force[0] += moves.extra[at], force[kForces] += moves.extra[at + 1];
  return force;
}

template <int D>
inline void apply(const Moves& moves, const int32_t* head, const int32_t* met, const Lanes* gap,
                  Lanes force, int edges) {
  const int64_t dimensions = D ? D : moves.dimensions;
  const Lanes low = Lanes{} - kClip, high = Lanes{} + kClip;
  for (int64_t j = 0; j < dimensions; j++) {
    const Lanes wanted = force * gap[j], least = wanted > low ? wanted : low;
    const Lanes m = moves.alpha * (least < high ? least : high);
    // Each half is summed by halves: 0 + 4, 1 + 5, ...
    const Lanes four = m + __builtin_shufflevector(m, m, 4, 5, 6, 7, 0, 1, 2, 3,  //
                                                   12, 13, 14, 15, 8, 9, 10, 11);
    const Lanes two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1, 6, 7, 4, 5,  //
                                                     10, 11, 8, 9, 14, 15, 12, 13);
    const Lanes one = two + __builtin_shufflevector(two, two, 1, 0, 3, 2, 5, 4, 7, 6,  //
                                                    9, 8, 11, 10, 13, 12, 15, 14);
    moves.position[head[0] * dimensions + j] += one[0];
    moves.position[met[0] * dimensions + j] -= m[0];
    if (edges == 1) continue;
    moves.position[head[1] * dimensions + j] += one[kForces];
    moves.position[met[kForces] * dimensions + j] -= m[kForces];
  }
}

// D dimensions known to the compiler, or 0: known when it runs. A force is a chain of some 60
// instructions that wait for each other, so two vectors of them are worked on at a time.
template <int D>
void move_all(const Moves& moves, const int32_t* head, const int32_t* met, int count) {
  Lanes *first = (Lanes*)moves.workspace, *second = first + (D ? D : moves.dimensions);
  for (int e = 0; e < count; e += 4) {
    const int32_t *h = head + e, *m = met + kForces * e;
    read_gaps<D>(moves, h, m, first);
    read_gaps<D>(moves, h + 2, m + kLanes, second);
    const Lanes force = forces(moves, h, m, first, e);
    const Lanes other = forces(moves, h + 2, m + kLanes, second, e + 2);
    apply<D>(moves, h, m, first, force, count - e);
    if (count - e > 2) apply<D>(moves, h + 2, m + kLanes, second, other, count - e - 2);
  }
}

void move_edges(const Moves& moves, const int32_t* head, const int32_t* met, int count) {
  switch (moves.dimensions) {
    case 2: return move_all<2>(moves, head, met, count);
    case 3: return move_all<3>(moves, head, met, count);
    case 10: return move_all<10>(moves, head, met, count);
    default: return move_all<0>(moves, head, met, count);
  }
}

}  // namespace
}  // namespace clade::cluster
