#!/usr/bin/env python3
"""Golden files for tests/clustering/knn_test.cpp: what scikit-learn 1.9.1 finds among rows with holes.

Run: python tests/golden/make_neighbors.py   (writes tests/golden/clustering/partial_*.npy)
"""
import pathlib

import numpy as np
from sklearn.datasets import load_iris
from sklearn.metrics.pairwise import nan_euclidean_distances

HERE = pathlib.Path(__file__).parent / "clustering"
rng = np.random.default_rng(7)
x = (load_iris().data[::2] + rng.normal(size=(75, 4)) * 0.01).astype(np.float32)
x[rng.random(x.shape) < 0.2] = np.nan
x = x[(~np.isnan(x)).any(1)]
distance = np.nan_to_num(nan_euclidean_distances(x.astype(np.float64)), nan=np.inf)
np.fill_diagonal(distance, -1)
index = np.argsort(distance, axis=1, kind="stable")[:, :8].astype(np.int32)
distance = np.maximum(np.take_along_axis(distance, index, 1), 0).astype(np.float32)
for name, array in (("x", x), ("index", index), ("distance", distance)):
    np.save(HERE / f"partial_{name}.npy", array)
