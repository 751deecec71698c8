// Element types: f32 and f64 compute, i32 and i64 index, u8 holds images and masks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

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

template <class T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr DType value = DType::f32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::f64; };
template <> struct DTypeOf<int32_t> { static constexpr DType value = DType::i32; };
template <> struct DTypeOf<int64_t> { static constexpr DType value = DType::i64; };
template <> struct DTypeOf<uint8_t> { static constexpr DType value = DType::u8; };

template <class T> inline constexpr DType dtype_of = DTypeOf<T>::value;

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

}  // namespace clade
