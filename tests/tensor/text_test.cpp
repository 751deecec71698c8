#include "tensor/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/progress.h"
#include "tests/support/errors.h"

namespace clade {
namespace {

using testing::message_of;

TEST(Text, JoinsValues) {
  EXPECT_EQ(text(), "");
  EXPECT_EQ(text("a", 'b', std::string("c"), 1, -2L, 3u, 4ull, true, false), "abc1-234truefalse");
  EXPECT_EQ(text(0.5, " ", 1.0, " ", 1e-9, " ", 123456789.0), "0.5 1 1e-09 1.23457e+08");
  EXPECT_EQ(text(std::vector<int>{}, std::vector<int>{1}, std::vector<double>{1, 2.5}),
            "[][1][1, 2.5]");
  EXPECT_EQ(text(int64_t{std::numeric_limits<int64_t>::min()}), "-9223372036854775808");
}

TEST(Text, NamesDTypesAndDevices) {
  EXPECT_EQ(text(DType::f32, DType::f64, DType::i32, DType::i64, DType::u8), "f32f64i32i64u8");
  EXPECT_EQ(text(Device::cpu(), " ", Device::cuda(), " ", Device::cuda(3)), "cpu cuda:0 cuda:3");
  EXPECT_EQ(text(Device::cuda_on_cpu()), "cuda-on-cpu");
  EXPECT_NE(Device::cuda(1), Device::cuda(2));
}

TEST(Error, ReadsAsExpectedGotCure) {
  EXPECT_EQ(message_of([] { fail("op", "this", "that"); }), "op: expected this; got that");
  EXPECT_EQ(message_of([] { fail("op", "this", "that", "do so"); }),
            "op: expected this; got that; do so");
}

TEST(DType, TypesAndNamesBelongTogether) {
  EXPECT_EQ(dtype_of<float>, DType::f32);
  EXPECT_EQ(dtype_of<double>, DType::f64);
  EXPECT_EQ(dtype_of<int32_t>, DType::i32);
  EXPECT_EQ(dtype_of<int64_t>, DType::i64);
  EXPECT_EQ(dtype_of<uint8_t>, DType::u8);
  for (DType t : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8}) {
    dispatch(t, [&](auto zero) {
      EXPECT_EQ(dtype_of<decltype(zero)>, t);
      EXPECT_EQ(sizeof zero, size_of(t));
      EXPECT_EQ(std::is_floating_point_v<decltype(zero)>, is_floating(t));
    });
  }
  EXPECT_EQ(dispatch_floating(DType::f32, [](auto zero) { return sizeof zero; }), 4u);
  EXPECT_EQ(dispatch_floating(DType::f64, [](auto zero) { return sizeof zero; }), 8u);
}

TEST(DType, ConversionHasNoUndefinedCase) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(convert<int32_t>(2.9), 2);
  EXPECT_EQ(convert<int32_t>(-2.9), -2);
  EXPECT_EQ(convert<uint8_t>(-0.5f), 0);
  EXPECT_EQ(convert<uint8_t>(255.9f), 255);
  EXPECT_EQ(convert<uint8_t>(256.0f), 255);
  EXPECT_EQ(convert<uint8_t>(nan), 0);
  EXPECT_EQ(convert<int32_t>(2147483647.0), 2147483647);
  EXPECT_EQ(convert<int32_t>(2147483648.0f), 2147483647);
  EXPECT_EQ(convert<int32_t>(-inf), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(convert<int64_t>(inf), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(convert<int64_t>(9223372036854775808.0), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(convert<int64_t>(-9223372036854775808.0), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(convert<uint8_t>(int32_t{257}), 1);
  EXPECT_EQ(convert<float>(int32_t{-3}), -3.0f);
}

TEST(Progress, CallsBackAndCancels) {
  struct Log {
    std::string lines;
    int64_t stop_at;
  } log{"", 2};
  Progress progress{[](void* context, const char* stage, int64_t done, int64_t total) {
                      Log& l = *static_cast<Log*>(context);
                      l.lines += text(stage, " ", done, "/", total, "\n");
                      return done != l.stop_at;
                    },
                    &log};
  progress("fit", 1, 3);
  EXPECT_THROW(progress("fit", 2, 3), Cancelled);
  EXPECT_EQ(message_of([&] { progress("fit", 2, 3); }), "fit: cancelled");
  EXPECT_EQ(log.lines, "fit 1/3\nfit 2/3\nfit 2/3\n");
  EXPECT_EQ(message_of([] { Progress{}("fit", 1, 3); }), "no error");
}

}  // namespace
}  // namespace clade
