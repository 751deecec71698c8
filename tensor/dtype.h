// Element types: f32 and f64 compute, i32 and i64 index, u8 holds images and masks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "tensor/host_device.h"

namespace clade {

enum class DType : uint8_t { f32, f64, i32, i64, u8 };

constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::f32: return 4;
    case DType::f64: return 8;
    case DType::i32: return 4;
    case DType::i64: return 8;
    case DType::u8: return 1;
  }
  return 0;
}

constexpr const char* name_of(DType t) {
  switch (t) {
    case DType::f32: return "f32";
    case DType::f64: return "f64";
    case DType::i32: return "i32";
    case DType::i64: return "i64";
    case DType::u8: return "u8";
  }
  return "?";
}

constexpr bool is_floating(DType t) { return t == DType::f32 || t == DType::f64; }

namespace detail {  // by pointer, so that no other type converts to one of these
constexpr DType dtype_of(const float*) { return DType::f32; }
constexpr DType dtype_of(const double*) { return DType::f64; }
constexpr DType dtype_of(const int32_t*) { return DType::i32; }
constexpr DType dtype_of(const int64_t*) { return DType::i64; }
constexpr DType dtype_of(const uint8_t*) { return DType::u8; }
}  // namespace detail

template <class T>
inline constexpr DType dtype_of = detail::dtype_of(static_cast<const T*>(nullptr));

inline void append(std::string& out, DType t) { out.append(name_of(t)); }

// Calls body(T{}) with the C++ type that `t` names: the one place where a dtype becomes a type.
template <class Body>
decltype(auto) dispatch(DType t, Body&& body) {
  switch (t) {
    case DType::f64: return body(double{});
    case DType::i32: return body(int32_t{});
    case DType::i64: return body(int64_t{});
    case DType::u8: return body(uint8_t{});
    case DType::f32: break;
  }
  return body(float{});
}

// The same for f32 and f64 alone; the caller has checked is_floating(t).
template <class Body>
decltype(auto) dispatch_floating(DType t, Body&& body) {
  return t == DType::f64 ? body(double{}) : body(float{});
}

// static_cast with no undefined case: a float beyond the range of an integer type becomes its
// nearest end, NaN becomes 0. Between integers it wraps around.
template <class To, class From>
CLADE_HD To convert(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The greatest To may not be a float, but the power of two above it is.
    constexpr From low = From(std::numeric_limits<To>::min());
    constexpr From above = From(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (!(value >= low)) return value < low ? std::numeric_limits<To>::min() : To(0);
    return value < above ? static_cast<To>(value) : std::numeric_limits<To>::max();
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace clade
