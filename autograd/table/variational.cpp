#include "autograd/table/samples.h"

namespace clade::op {
namespace {

Random fixed_noise() { return Random(12); }

}  // namespace

const Op reparameterize = {
    "reparameterize", "mean + exp(logvar / 2) eps, eps ~ N(0, 1) drawn by Philox",
    "dmean = dz, dlogvar = dz eps exp(logvar / 2) / 2, eps drawn again",
    [] {
      return std::vector<OpSample>{{"one sample",
                                    {in({5, 3}), in({5, 3})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], rng);
                                    }},
                                   {"four samples",
                                    {in({3, 5}), in({3, 5})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], 4, rng);
                                    }},
                                   {"size 1",
                                    {in({1, 1}), in({1, 1})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], rng);
                                    }},
                                   {"empty batch",
                                    {in({0, 5}), in({0, 5})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], rng);
                                    }},
                                   {"large",
                                    {in({701, 101}), in({701, 101})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], rng);
                                    },
                                    Size::large},
                                   {"128 x 10, 50 samples",
                                    {in({128, 10}), in({128, 10})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], 50, rng);
                                    },
                                    Size::bench},
                                   {"2048 x 512",
                                    {in({2048, 512}), in({2048, 512})},
                                    [](const Vars& v) {
                                      Random rng = fixed_noise();
                                      return clade::reparameterize(v[0], v[1], rng);
                                    },
                                    Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({5, 3}), in({5, 2})},
           [](const Vars& v) {
             Random rng = fixed_noise();
             return clade::reparameterize(v[0], v[1], rng);
           },
           "reparameterize: expected arguments of one shape; got f32 [5, 3] and f32 [5, 2]"}};
    }};

const Op importance_weighted_bound = {
    "importance_weighted_bound", "ln (1/K sum_k e^(log_w[k, n]))",
    "dlog_w = dbound softmax_k(log_w)",
    [] {
      auto f = [](const Vars& v) { return clade::importance_weighted_bound(v[0]).bound; };
      return std::vector<OpSample>{{"five samples", {in({5, 7})}, f},
                                   {"one sample", {in({1, 3})}, f},
                                   {"far below zero", {in({4, 3}, -900, -890)}, f},
                                   {"empty batch", {in({5, 0})}, f},
                                   {"large", {in({5, 20001})}, f, Size::large},
                                   {"50 samples of 8192", {in({50, 8192})}, f, Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"no samples",
           {in({0, 3})},
           [](const Vars& v) { return clade::importance_weighted_bound(v[0]).bound; },
           "importance_weighted_bound: expected at least one sample (K >= 1); got f32 [0, 3]"}};
    }};

const Op log_prior_ratio = {
    "log_prior_ratio", "1/2 sum_d [logvar + (z - mean)^2 e^-logvar - z^2] a sample k and row n",
    "dz = (p - z) dy, dmean = -sum_k p dy, dlogvar = 1/2 sum_k [1 - (z - mean) p] dy, "
    "p = (z - mean) e^-logvar",
    [] {
      auto f = [](const Vars& v) { return clade::log_prior_ratio(v[0], v[1], v[2]); };
      return std::vector<OpSample>{
          {"three samples", {in({3, 4, 5}), in({4, 5}), in({4, 5})}, f},
          {"one", {in({1, 1, 1}), in({1, 1}), in({1, 1})}, f},
          {"rows that cross blocks", {in({2, 3, 301}), in({3, 301}), in({3, 301})}, f},
          {"empty batch", {in({2, 0, 3}), in({0, 3}), in({0, 3})}, f},
          {"large", {in({5, 301, 53}), in({301, 53}), in({301, 53})}, f, Size::large},
          {"50 samples of 128 x 50",
           {in({50, 128, 50}), in({128, 50}), in({128, 50})},
           f,
           Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({2, 4, 3}), in({4, 3}), in({3, 4})},
           [](const Vars& v) { return clade::log_prior_ratio(v[0], v[1], v[2]); },
           "log_prior_ratio: expected mean and logvar of shape [4, 3] for z [2, 4, 3]; got f32 "
           "[3, 4]"}};
    }};

const Op kl_standard_normal = {
    "kl_standard_normal", "1/2 sum [mean^2 + e^logvar - logvar - 1] a sample",
    "dmean = dy mean, dlogvar = dy (e^logvar - 1) / 2",
    [] {
      auto f = [](const Vars& v) { return clade::kl_standard_normal(v[0], v[1]); };
      return std::vector<OpSample>{
          {"rows", {in({4, 10}), in({4, 10})}, f},
          {"one", {in({1, 1}), in({1, 1})}, f},
          {"empty batch", {in({0, 3}), in({0, 3})}, f},
          {"large", {in({701, 101}), in({701, 101})}, f, Size::large},
          {"2048 x 512", {in({2048, 512}), in({2048, 512})}, f, Size::bench}};
    },
    [] {
      return std::vector<BadInput>{
          {"shapes",
           {in({4, 3}), in({4, 2})},
           [](const Vars& v) { return clade::kl_standard_normal(v[0], v[1]); },
           "kl_standard_normal: expected arguments of one shape; got f32 [4, 3] and f32 [4, 2]"}};
    }};

}  // namespace clade::op
