// Progress: how long work reports itself, and how it is asked to stop.
//
// A plain function pointer and a context, so that the header costs nothing. Every long function
// takes `const Progress& progress = {}` and calls progress("umap layout", done, total) now and then
// from the calling thread; when the callback returns false the call throws Cancelled.
#pragma once

#include <cstdint>

#include "tensor/error.h"

namespace clade {

struct Progress {
  bool (*callback)(void* context, const char* stage, int64_t done, int64_t total) = nullptr;
  void* context = nullptr;

  void operator()(const char* stage, int64_t done, int64_t total) const {
    if (callback && !callback(context, stage, done, total)) throw Cancelled(stage);
  }
};

}  // namespace clade
