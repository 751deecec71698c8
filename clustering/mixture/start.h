// Where the EM of a Gaussian mixture starts.
#pragma once

#include "clustering/mixture/gmm.h"

namespace clade::cluster {

// Throws Error on options that do not fit n rows.
void check_options(const GmmOptions& o, int64_t n);

struct FirstModel {
  Gmm gmm;
  Tensor likeliest;  // (n) i32: of each row a component, as a rule its likeliest one
};

// The model of start number `start`, from x (n, d) without holes: the given one, or the M-step on
// given, random or k-means responsibilities. Of a given model x is not looked at.
FirstModel first_model(const Tensor& x, const GmmOptions& o, int start, const Progress& progress);

// (n) i32: the column of the largest entry of each row of r (n, k) f64.
Tensor likeliest_of(const Tensor& r);

}  // namespace clade::cluster
