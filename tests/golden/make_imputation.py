#!/usr/bin/env python3
"""Golden files for tests of imputation: scikit-learn's KNNImputer among rows with holes (those of
make_neighbors.py), scikit-image's structural similarity of two sets of images.

Run: python tests/golden/make_imputation.py   (writes tests/golden/clustering/partial_filled.npy and
tests/golden/formats/ssim_*.npy)
"""
import pathlib

import numpy as np
from skimage.metrics import structural_similarity
from sklearn.impute import KNNImputer

HERE = pathlib.Path(__file__).parent
x = np.load(HERE / "clustering/partial_x.npy").astype(np.float64)
np.save(HERE / "clustering/partial_filled.npy", KNNImputer(n_neighbors=5).fit_transform(x))

rng = np.random.default_rng(3)
a = rng.random((3, 1, 14, 17)).astype(np.float32)
b = np.clip(a + rng.normal(size=a.shape) * np.array([0.05, 0.2, 0.6])[:, None, None, None], 0, 1)
b = b.astype(np.float32)
value = np.mean([structural_similarity(p[0].astype(np.float64), q[0].astype(np.float64),
                                       gaussian_weights=True, sigma=1.5, data_range=1,
                                       use_sample_covariance=False) for p, q in zip(a, b)])
for name, array in (("a", a), ("b", b), ("value", np.array([value]))):
    np.save(HERE / f"formats/ssim_{name}.npy", array)
