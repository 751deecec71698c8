#include "autograd/table/samples.h"

namespace clade::op {
namespace {

std::vector<OpSample> along_axes(Var (*last)(const Vars&), Var (*middle)(const Vars&)) {
  return {{"the last axis", {in({4, 17})}, last},
          {"the first of two", {in({4, 5})}, middle},
          {"channels of images", {in({2, 5, 3, 2})}, middle},
          {"one element", {in({3, 1})}, last},
          {"empty", {in({0, 3})}, last},
          {"large", {in({701, 101})}, last, Size::large},
          {"4096 x 1000", {in({4096, 1000})}, last, Size::bench},
          {"65536 x 10", {in({65536, 10})}, last, Size::bench},
          {"large values", {in({3, 9}, 80, 95)}, last}};
}

}  // namespace

const Op sum = {
    "sum",
    "sum over axes",
    "dx = dy, repeated",
    [] {
      return std::vector<OpSample>{
          {"all", {in({3, 5, 2})}, [](const Vars& v) { return clade::sum(v[0]); }},
          {"rows", {in({37, 5})}, [](const Vars& v) { return clade::sum(v[0], {0}); }},
          {"last axis, kept",
           {in({3, 19})},
           [](const Vars& v) { return clade::sum(v[0], {1}, true); }},
          {"images to channels",
           {in({2, 3, 4, 5})},
           [](const Vars& v) {
             return clade::sum(v[0], {0, 2, 3});
           }},
          {"size 1", {in({3, 1})}, [](const Vars& v) { return clade::sum(v[0], {1}); }},
          {"nothing", {in({0, 3})}, [](const Vars& v) { return clade::sum(v[0], {0}); }},
          {"large, all",
           {in({701, 101})},
           [](const Vars& v) { return clade::sum(v[0]); },
           Size::large},
          {"large, rows",
           {in({701, 101})},
           [](const Vars& v) { return clade::sum(v[0], {0}); },
           Size::large},
          {"4096 x 1000",
           {in({4096, 1000})},
           [](const Vars& v) { return clade::sum(v[0], {0}); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{{"no such axis",
                                    {in({2, 3})},
                                    [](const Vars& v) { return clade::sum(v[0], {2}); },
                                    "sum: expected an axis in -2 .. 1; got axis 2 of f32 [2, 3]"}};
    },
    0b1};
const Op mean = {
    "mean",
    "mean over axes",
    "dx = dy / count, repeated",
    [] {
      return std::vector<OpSample>{
          {"all", {in({3, 5})}, [](const Vars& v) { return clade::mean(v[0]); }},
          {"batch", {in({7, 5})}, [](const Vars& v) { return clade::mean(v[0], {0}); }},
          {"pixels",
           {in({2, 3, 4, 5})},
           [](const Vars& v) {
             return clade::mean(v[0], {2, 3}, true);
           }},
          {"size 1", {in({3, 1})}, [](const Vars& v) { return clade::mean(v[0], {1}); }},
          {"empty", {in({0, 3})}, [](const Vars& v) { return clade::mean(v[0], {1}); }},
          {"large", {in({701, 101})}, [](const Vars& v) { return clade::mean(v[0]); }, Size::large},
          {"4096 x 1000",
           {in({4096, 1000})},
           [](const Vars& v) { return clade::mean(v[0], {0}); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{{"of nothing",
                                    {in({0, 3})},
                                    [](const Vars& v) { return clade::mean(v[0]); },
                                    "mean: expected at least one element; got f32 [0, 3]"}};
    },
    0b1};
const Op max = {
    "max", "largest along axes", "dx = dy at the largest, shared by ties",
    [] {
      return std::vector<OpSample>{
          {"last axis", {in({4, 9})}, [](const Vars& v) { return clade::max(v[0], {1}); }},
          {"two axes, kept",
           {in({3, 4, 5})},
           [](const Vars& v) {
             return clade::max(v[0], {0, 2}, true);
           }},
          {"size 1", {in({3, 1})}, [](const Vars& v) { return clade::max(v[0], {1}); }},
          {"empty", {in({0, 3})}, [](const Vars& v) { return clade::max(v[0], {1}); }},
          {"large",
           {in({701, 101})},
           [](const Vars& v) { return clade::max(v[0], {0}); },
           Size::large},
          {"4096 x 1000",
           {in({4096, 1000})},
           [](const Vars& v) { return clade::max(v[0], {1}); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"of nothing",
           {in({3, 0})},
           [](const Vars& v) { return clade::max(v[0], {1}); },
           "max: expected at least one element along the axes; got f32 [3, 0]"}};
    }};
const Op min = {
    "min", "smallest along axes", "dx = dy at the smallest, shared by ties",
    [] {
      return std::vector<OpSample>{
          {"last axis", {in({4, 9})}, [](const Vars& v) { return clade::min(v[0], {1}); }},
          {"batch", {in({6, 5})}, [](const Vars& v) { return clade::min(v[0], {0}); }},
          {"size 1", {in({3, 1})}, [](const Vars& v) { return clade::min(v[0], {1}); }},
          {"empty", {in({0, 3})}, [](const Vars& v) { return clade::min(v[0], {1}); }},
          {"large",
           {in({701, 101})},
           [](const Vars& v) { return clade::min(v[0], {0}); },
           Size::large},
          {"4096 x 1000",
           {in({4096, 1000})},
           [](const Vars& v) { return clade::min(v[0], {1}); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"of nothing",
           {in({3, 0})},
           [](const Vars& v) { return clade::min(v[0], {1}); },
           "min: expected at least one element along the axes; got f32 [3, 0]"}};
    }};

const Op softmax = {
    "softmax", "e^x / sum e^x along an axis", "dx = y (dy - sum dy y)",
    [] {
      return along_axes(
          [](const Vars& v) { return clade::softmax(v[0], -1); },
          [](const Vars& v) { return clade::softmax(v[0], v[0].value().rank() == 4 ? 1 : 0); });
    },
    [] {
      return std::vector<BadInput>{
          {"no such axis",
           {in({2, 3})},
           [](const Vars& v) { return clade::softmax(v[0], 2); },
           "softmax: expected an axis in -2 .. 1; got axis 2 of f32 [2, 3]"}};
    }};
const Op log_softmax = {
    "log_softmax", "x - ln sum e^x along an axis", "dx = dy - e^y sum dy",
    [] {
      return along_axes(
          [](const Vars& v) { return clade::log_softmax(v[0], -1); },
          [](const Vars& v) { return clade::log_softmax(v[0], v[0].value().rank() == 4 ? 1 : 0); });
    },
    [] {
      return std::vector<BadInput>{
          {"no such axis",
           {in({2, 3})},
           [](const Vars& v) { return clade::log_softmax(v[0], 2); },
           "log_softmax: expected an axis in -2 .. 1; got axis 2 of f32 [2, 3]"}};
    }};
const Op logsumexp = {
    "logsumexp", "ln sum e^x along an axis", "dx = dy e^(x - y)",
    [] {
      return along_axes([](const Vars& v) { return clade::logsumexp(v[0], -1); },
                        [](const Vars& v) {
                          return clade::logsumexp(v[0], v[0].value().rank() == 4 ? 1 : 0, true);
                        });
    },
    [] {
      return std::vector<BadInput>{
          {"of nothing",
           {in({3, 0})},
           [](const Vars& v) { return clade::logsumexp(v[0], 1); },
           "logsumexp: expected at least one element along the axis; got f32 [3, 0]"}};
    }};

}  // namespace clade::op
