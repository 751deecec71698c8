// Every system of the registry: it learns, it goes on after a kill, its bits depend on nothing but
// the seed, a row's answer on nothing but the row.
#include "models/system.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "data/catalog.h"
#include "data/prepare.h"
#include "models/autoencoder.h"
#include "models/conv_autoencoders.h"
#include "tests/models/small_systems.h"
#include "tests/support/device.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"
#include "tests/support/threads.h"

namespace clade::models {
namespace {

using testing::message_of;

std::vector<float> bits(System& system) {
  std::vector<float> all;
  for (const SafeTensors::Entry& e : system.state()) {
    const auto values = e.tensor.to_vector<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

struct Stop {
  int64_t left;
  Progress progress() {
    return {[](void* self, const char*, int64_t, int64_t) {
              return --static_cast<Stop*>(self)->left >= 0;
            },
            this};
  }
};

class EverySystem : public ::testing::TestWithParam<int> {
 protected:
  const SystemInfo& info() const { return systems().at(size_t(GetParam())); }
  Rows rows() const { return some_rows(takes_images(info())); }
  SystemPtr make(const std::string& more = "") const {
    return small(info(), rows().values.shape().without(0), 3, rows().size(), more);
  }
};

TEST_P(EverySystem, LearnsAndAnswersForEachRowAlone) {
  const Rows all = rows();
  SystemPtr system = make();
  system->train(all, {}, {});
  EXPECT_FALSE(system->curves.empty());
  const Tensor codes = system->encode(all, {}), labels = system->assign(all, {});
  EXPECT_EQ(codes.size(0), all.size());
  for (auto [begin, end] : {std::pair<int64_t, int64_t>{0, 1}, {7, 8}, {40, 90}}) {
    const Rows part = slice(all, begin, end);
    if (!info().power_of_two_images) {  // the VAE's promise is the code, not its bits
      EXPECT_EQ(system->encode(part, {}).to_vector<float>(),
                codes.slice(0, begin, end).to_vector<float>());
    }
    if (labels.defined()) {
      EXPECT_EQ(system->assign(part, {}).to_vector<int32_t>(),
                labels.slice(0, begin, end).to_vector<int32_t>());
    }
  }

  // From its file the same answers.
  SystemPtr again = make();
  again->load(system->state());
  EXPECT_EQ(again->encode(all, {}).to_vector<float>(), codes.to_vector<float>());
  if (labels.defined()) {
    EXPECT_EQ(again->assign(all, {}).to_vector<int32_t>(), labels.to_vector<int32_t>());
  }
}

// Its first steps on the device of the CUDA kernels are those of the CPU, to rounding. Codes less
// so: where a gradient is rounding alone (of a bias before batch norm), Adam steps by its sign.
TEST_P(EverySystem, LearnsTheSameOnADevice) {
  CLADE_SKIP_WITHOUT_DEVICE();
  const Device device = device_of_kernels();
  const Rows here = some_rows(takes_images(info()), 20), there{here.values, here.mask, device};
  const Shape sample = here.values.shape().without(0);
  auto make_on = [&](Device d) { return small(info(), sample, 3, here.size(), "", d, "1"); };
  if (info().cpu_only) {
    EXPECT_EQ(message_of([&] { make_on(device); }),
              text(info().name, ": expected the cpu: its steps go row by row; got ", device,
                   "; use --device cpu"));
    return;
  }
  if (Settings(info().name, info().settings).knows("network") && device.kind != Device::cuda().kind)
    GTEST_SKIP() << "half a minute for the CPU that plays a GPU";
  SystemPtr cpu = make_on(Device::cpu()), gpu = make_on(device);
  cpu->train(here, {}, {});
  gpu->train(there, {}, {});
  ASSERT_EQ(cpu->curves.size(), gpu->curves.size());
  for (size_t c = 0; c < cpu->curves.size(); c++) {
    const auto &want = cpu->curves[c].values, &got = gpu->curves[c].values;
    ASSERT_EQ(want.size(), got.size());
    for (size_t i = 0; i < want.size(); i++)
      EXPECT_NEAR(got[i], want[i], 1e-4 * std::max(1.0, std::abs(want[i])))
          << cpu->curves[c].name << " " << i;
  }
  const auto want = cpu->encode(here, {}).to_vector<double>();
  const auto got = gpu->encode(there, {}).to_vector<double>();
  double scale = 1;
  for (double v : want) scale = std::max(scale, std::abs(v));
  for (size_t i = 0; i < want.size(); i++) ASSERT_NEAR(got[i], want[i], 2e-2 * scale) << i;
  const Tensor labels = gpu->assign(there, {});
  if (labels.defined()) {
    EXPECT_EQ(labels.to_vector<int>(), cpu->assign(here, {}).to_vector<int>());
  }
  const Tensor back = gpu->reconstruct(there, {});
  EXPECT_TRUE(!back.defined() || back.device().is_cpu());
}

TEST_P(EverySystem, GoesOnAfterAKillToTheSameBits) {
  const Rows all = rows();
  const testing::TempDir folder;
  SystemPtr whole = make();
  whole->train(all, {}, {});
  SystemPtr broken = make();
  Training t{.checkpoint = folder / "c.safetensors", .save_every = 0};
  int64_t stops = 0;
  for (int64_t steps = 5;; steps += steps / 2, stops++) {  // killed again and again, ever later
    broken = make();
    Stop stop{steps};
    t.resume = std::filesystem::exists(t.checkpoint);
    try {
      broken->train(all, t, stop.progress());
      break;
    } catch (const Cancelled&) {
    }
  }
  EXPECT_GT(stops, 0);
  EXPECT_EQ(bits(*broken), bits(*whole));
  ASSERT_EQ(broken->curves.size(), whole->curves.size());
  for (size_t i = 0; i < whole->curves.size(); i++)
    EXPECT_EQ(broken->curves[i].values, whole->curves[i].values) << whole->curves[i].name;

  // The checkpoint of other data is refused.
  Rows other = all;
  other.values = all.values.clone();
  other.values.data<float>()[5] += 0.25f;
  t.resume = true;
  EXPECT_NE(message_of([&] { make()->train(other, t, {}); }).find("resume: expected the data"),
            std::string::npos);
}

TEST_P(EverySystem, SameBitsAtAnyThreadCount) {
  testing::expect_same_at_any_thread_count([&] {
    SystemPtr system = make();
    system->train(rows(), {}, {});
    return bits(*system);
  });
}

INSTANTIATE_TEST_SUITE_P(All, EverySystem, ::testing::Range(0, int(systems().size())),
                         [](const auto& each) {
                           std::string name = systems().at(size_t(each.param)).name;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Systems, StackedPretrainingGoesOnToo) {
  const Rows all = some_rows(false);
  const SystemInfo& dec = *find_system("dec");
  const testing::TempDir folder;
  auto make = [&] { return small(dec, {12}, 3, all.size(), "pretrain=stacked"); };
  SystemPtr whole = make();
  whole->train(all, {}, {});
  EXPECT_EQ(whole->curves[0].name, "layer 1");
  Training t{.checkpoint = folder / "c.safetensors", .save_every = 0};
  Stop stop{10};  // in the second layer
  EXPECT_THROW(make()->train(all, t, stop.progress()), Cancelled);
  t.resume = true;
  SystemPtr resumed = make();
  resumed->train(all, t, {});
  EXPECT_EQ(bits(*resumed), bits(*whole));
}

// What the test of labels is made of: there is nowhere to put them. apps/ has the other half, a run
// whose labels were shuffled.
TEST(Systems, HaveNoPlaceForLabels) {
  static_assert(std::is_aggregate_v<Rows> && sizeof(Device) <= 8 &&
                sizeof(Rows) == 2 * sizeof(Tensor) + alignof(Tensor));  // two tensors, a device
  static_assert(!std::is_constructible_v<Rows, data::Dataset>);
}

TEST(Autoencoders, HaveThePapersParameters) {
  Random rng(1);
  Autoencoder dense = dense_autoencoder({784}, {500, 500, 2000}, 10, rng);
  EXPECT_EQ(nn::count_parameters(dense), 3330794);  // recipe 0.3
  Autoencoder p3 = p3_autoencoder({1, 28, 28}, 10, rng);
  EXPECT_EQ(nn::count_parameters(p3.encoder), 10306);  // recipe 5.2
  EXPECT_EQ(nn::count_parameters(p3.decoder), 10247);
  Autoencoder guo = guo_autoencoder({1, 28, 28}, 3, 10, rng);
  EXPECT_EQ(nn::count_parameters(guo), 209419);  // recipe 5.3
  Autoencoder dcec = guo_autoencoder({1, 28, 28}, 5, 10, rng);
  EXPECT_EQ(nn::count_parameters(dcec), 275979);  // recipe 13
  for (int64_t side : {12, 16, 20, 28, 32}) {
    const Shape sample{1, side, side};
    Autoencoder ae = guo_autoencoder(sample, 5, 10, rng);
    const Tensor x = rand(Shape{2, 1, side, side}, rng).to_layout(Layout::channels_last);
    EXPECT_EQ(text(ae.reconstruct(x).shape()), text(x.shape()));
  }
  const Tensor x = rand({2, 1, 28, 28}, rng).to_layout(Layout::channels_last);
  EXPECT_EQ(text(p3.reconstruct(x).shape()), text(x.shape()));
  EXPECT_EQ(text(p3.encode(x).shape()), text(Shape{2, 10}));
  EXPECT_THROW(guo_autoencoder({1, 8, 8}, 5, 10, rng), Error);
  EXPECT_THROW(p3_autoencoder({1, 16, 16}, 10, rng), Error);
}

TEST(Settings, AreCheckedByName) {
  const SystemInfo& dec = *find_system("dec");
  Settings s(dec.name, dec.settings);
  s.set_all("update=30,optimizer=sgd,hidden=50-20");
  EXPECT_EQ(s.whole("update"), 30);
  EXPECT_EQ(s.word("optimizer"), "sgd");
  EXPECT_EQ(s.sizes("hidden"), (std::vector<int64_t>{50, 20}));
  EXPECT_FALSE(s.given("epochs"));
  EXPECT_THROW(s.number("epochs"), Error);
  Settings copy(dec.name, dec.settings);
  copy.set_all(s.list());
  EXPECT_EQ(copy.list(), s.list());
  for (const char* wrong : {"nope=3", "update", "update=0", "update=2.5", "update=", "lr=nan",
                            "tolerance=2", "optimizer=rms", "optimizer=adam sgd", "hidden=5-0",
                            "hidden=", "hidden=5--6", ",", "update=3,"})
    EXPECT_THROW(s.set_all(wrong), Error) << wrong;
  EXPECT_NE(message_of([&] { s.set("updat", "3"); }).find("update"), std::string::npos);
}

TEST(Systems, RefuseWhatTheyDoNotTake) {
  auto message = [](const char* name, const Shape& sample, int64_t k) {
    const SystemInfo& info = *find_system(name);
    Settings s(info.name, info.settings);
    info.recipe(s, 100, sample);
    return message_of([&] { make_system(info, {sample, k, s, 1}); });
  };
  EXPECT_EQ(message("dec", {4}, 0), "dec: expected the number of clusters; got none; give --k");
  EXPECT_NE(message("dcec", {4}, 3).find("expected images; got rows of 4"), std::string::npos);
  EXPECT_EQ(find_system("nothing"), nullptr);
}

}  // namespace
}  // namespace clade::models
