#include "autograd/table/samples.h"

namespace clade::op {

const Op reshape = {
    "reshape",
    "the elements in row-major order under another shape",
    "dx = reshape(dy)",
    [] {
      return std::vector<OpSample>{{"one size worked out",
                                    {in({2, 6})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {3, -1});
                                    }},
                                   {"flatten images",
                                    {in({2, 3, 2, 2})},
                                    [](const Vars& v) { return clade::flatten(v[0]); }},
                                   {"size 1",
                                    {in({1, 1, 3})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {3, 1});
                                    }},
                                   {"empty",
                                    {in({0, 3})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {3, 0});
                                    }},
                                   {"large",
                                    {in({701, 102})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {102, 701});
                                    },
                                    Size::large},
                                   {"2048 x 2048",
                                    {in({2048, 2048})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {1024, 4096});
                                    },
                                    Size::bench}};
    },
    [] {
      return std::vector<BadInput>{{"another count",
                                    {in({2, 6})},
                                    [](const Vars& v) {
                                      return clade::reshape(v[0], {5, 2});
                                    },
                                    "reshape: expected 12 elements; got [5, 2] for f32 [2, 6]"}};
    },
    0b1};

const Op permute = {
    "permute",
    "the axes in another order (a view)",
    "dx = dy with the inverse order",
    [] {
      return std::vector<OpSample>{
          {"three axes",
           {in({2, 3, 4})},
           [](const Vars& v) {
             return clade::permute(v[0], {2, 0, 1});
           }},
          {"transpose", {in({2, 3})}, [](const Vars& v) { return clade::transpose(v[0], 0, -1); }},
          {"size 1", {in({1, 3})}, [](const Vars& v) { return clade::transpose(v[0], 0, 1); }},
          {"empty", {in({0, 3})}, [](const Vars& v) { return clade::transpose(v[0], 0, 1); }},
          {"large",
           {in({701, 102})},
           [](const Vars& v) { return clade::transpose(v[0], 0, 1); },
           Size::large},
          {"2048 x 2048",
           {in({2048, 2048})},
           [](const Vars& v) { return clade::transpose(v[0], 0, 1); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"an axis twice",
           {in({2, 3})},
           [](const Vars& v) {
             return clade::permute(v[0], {0, 0});
           },
           "permute: expected each of the 2 axes once; got [0, 0] for f32 [2, 3]"}};
    },
    0b1};

const Op slice = {
    "slice",
    "every step-th index of one axis (a view)",
    "dx = dy in its places, 0 elsewhere",
    [] {
      return std::vector<OpSample>{
          {"rows", {in({5, 3})}, [](const Vars& v) { return clade::slice(v[0], 0, 1, 4); }},
          {"every second column",
           {in({2, 7})},
           [](const Vars& v) { return clade::slice(v[0], 1, 1, 7, 2); }},
          {"nothing", {in({2, 3})}, [](const Vars& v) { return clade::slice(v[0], 1, 2, 2); }},
          {"size 1", {in({1, 3})}, [](const Vars& v) { return clade::slice(v[0], 0, 0, 1); }},
          {"empty", {in({0, 3})}, [](const Vars& v) { return clade::slice(v[0], 1, 0, 2); }},
          {"large",
           {in({701, 102})},
           [](const Vars& v) { return clade::slice(v[0], 1, 1, 101, 2); },
           Size::large},
          {"2048 x 2048",
           {in({2048, 2048})},
           [](const Vars& v) { return clade::slice(v[0], 1, 0, 2048, 2); },
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"past the end",
           {in({2, 3})},
           [](const Vars& v) { return clade::slice(v[0], 1, 0, 4); },
           "slice: expected 0 <= begin <= end <= 3 and step >= 1; got begin 0, end 4, step 1"}};
    },
    0b1};

const Op concat = {
    "concat",
    "tensors one after another along an axis",
    "each gets its slice of dy",
    [] {
      return std::vector<OpSample>{{"columns",
                                    {in({2, 3}), in({2, 1}), in({2, 4})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[1], v[2]}, 1);
                                    }},
                                   {"channels of images",
                                    {in({2, 1, 3, 3}), in({2, 2, 3, 3})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[1]}, 1);
                                    }},
                                   {"the same twice",
                                    {in({2, 2})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[0]}, 0);
                                    }},
                                   {"one of them empty",
                                    {in({2, 0}), in({2, 3})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[1]}, 1);
                                    }},
                                   {"large",
                                    {in({701, 51}), in({701, 50})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[1]}, 1);
                                    },
                                    Size::large},
                                   {"2048 x 2048",
                                    {in({2048, 1024}), in({2048, 1024})},
                                    [](const Vars& v) {
                                      return clade::concat({v[0], v[1]}, 1);
                                    },
                                    Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"rows of different width",
           {in({2, 3}), in({2, 4})},
           [](const Vars& v) {
             return clade::concat({v[0], v[1]}, 0);
           },
           "concat: expected shapes equal but for axis 0; got f32 [2, 3] and f32 [2, 4]"}};
    },
    0b111};

const Op expand = {
    "expand",
    "axes of size 1 repeated (a view with strides of 0)",
    "dx = dy summed over them",
    [] {
      return std::vector<OpSample>{{"a row to a matrix",
                                    {in({3})},
                                    [](const Vars& v) {
                                      return clade::expand(v[0], {4, 3});
                                    }},
                                   {"an inner axis",
                                    {in({2, 1, 3})},
                                    [](const Vars& v) {
                                      return clade::expand(v[0], {2, 5, 3});
                                    }},
                                   {"empty",
                                    {in({1, 0})},
                                    [](const Vars& v) {
                                      return clade::expand(v[0], {4, 0});
                                    }},
                                   {"large",
                                    {in({1, 101})},
                                    [](const Vars& v) {
                                      return clade::expand(v[0], {701, 101});
                                    },
                                    Size::large},
                                   {"2048 x 2048",
                                    {in({1, 2048})},
                                    [](const Vars& v) {
                                      return clade::expand(v[0], {2048, 2048});
                                    },
                                    Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"another size",
           {in({2, 3})},
           [](const Vars& v) {
             return clade::expand(v[0], {4, 3});
           },
           "expand: expected sizes equal to the target's, or 1; got f32 [2, 3] to [4, 3]"}};
    },
    0b1};

}  // namespace clade::op
