// Every system that clusters, on the digits, at sizes that take a few seconds: above a floor of
// accuracy that the same system with an untrained network stays below.
#include <gtest/gtest.h>

#include <algorithm>

#include "clustering/metrics/accuracy.h"
#include "data/catalog.h"
#include "data/prepare.h"
#include "models/system.h"

namespace clade::models {
namespace {

struct Floor {
  const char *system, *settings;
  double accuracy;
};
const Floor kFloors[] = {
    {"ae-kmeans", "epochs=40,batch=64,hidden=200-100", 0.65},
    {"ae-gmm", "epochs=40,batch=64,hidden=200-100", 0.65},
    {"cae-kmeans", "epochs=40,batch=64,network=3x3", 0.72},
    {"dec", "epochs=40,batch=64,hidden=200-100,update=40,iterations=400", 0.68},
    {"idec", "epochs=40,batch=64,hidden=200-100,update=40,iterations=400", 0.68},
    {"dcn", "epochs=40,batch=64,hidden=200-100,cluster_epochs=10", 0.68},
    {"dcec", "epochs=40,batch=64,network=3x3,update=20,iterations=60", 0.74},
    {"dec-da", "epochs=80,batch=64,hidden=200-100,update=40,iterations=400,cluster_lr=0.01", 0.68},
    {"conv-dec-da", "epochs=40,batch=64,network=3x3,update=20,iterations=60", 0.72},
    {"n2d", "epochs=40,batch=64,hidden=200-100", 0.75},
    {"vade", "epochs=40,hidden=200-100,cluster_epochs=20", 0.70},
    {"dgg", "epochs=40,hidden=200-100,cluster_epochs=10,siamese_epochs=5", 0.65},
    {"ltvae", "epochs=40,hidden=200-100,cluster_epochs=20", 0.70},
    {"gmvae", "epochs=40,hidden=100-100", 0.50},
    {"k-dvae",
     "epochs=40,batch=64,hidden=200-100,expert_hidden=64-32,warm_epochs=15,expert_epochs=5", 0.80},
    {"k-dae",
     "epochs=40,batch=64,hidden=200-100,expert_hidden=64-32,warm_epochs=15,expert_epochs=5", 0.80},
    {"moe-vae",
     "epochs=40,batch=64,hidden=200-100,expert_hidden=64-32,warm_epochs=15,expert_epochs=3", 0.80},
};

// The strided networks need 12 pixels or more a side: the first 600 digits at 16.
data::Dataset digits_for(const SystemInfo& info) {
  const data::Dataset digits = data::load("digits");
  const bool convolutional = Settings(info.name, info.settings).knows("network");
  return convolutional ? data::resize(data::slice(digits, 0, 600), 16, 16) : digits;
}

double accuracy_of(const Floor& floor, bool trained) {
  const SystemInfo& info = *find_system(floor.system);
  const data::Dataset digits = digits_for(info);
  Settings s(info.name, info.settings);
  s.set_all(floor.settings);
  if (!trained)
    for (const char* passes : {"epochs", "cluster_epochs", "iterations", "siamese_epochs",
                               "warm_epochs", "expert_epochs"})
      if (s.knows(passes)) s.set(passes, "0");
  const Shape sample = digits.values.shape().without(0);
  info.recipe(s, digits.size(), sample);
  SystemPtr system = make_system(info, {sample, 10, s, 1});
  const Rows rows{digits.values, {}};
  system->train(rows, {}, {});
  return cluster::accuracy(digits.labels.ids(), system->clusters(rows, {}));
}

class OnDigits : public ::testing::TestWithParam<int> {};

TEST_P(OnDigits, ClustersAboveAFloorThatAnUntrainedNetworkFails) {
  const Floor& floor = kFloors[GetParam()];
  const double trained = accuracy_of(floor, true), untrained = accuracy_of(floor, false);
  RecordProperty("trained", std::to_string(trained));
  RecordProperty("untrained", std::to_string(untrained));
  EXPECT_GT(trained, floor.accuracy);
  EXPECT_LT(untrained, floor.accuracy);
}

INSTANTIATE_TEST_SUITE_P(All, OnDigits, ::testing::Range(0, int(std::size(kFloors))),
                         [](const auto& each) {
                           std::string name = kFloors[each.param].system;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace clade::models
