#!/usr/bin/env python3
"""Golden files for tests/clustering/prediction_test.cpp: what hdbscan 0.8.44 makes of new rows, and its
validity indices.

Run: python tests/golden/make_prediction.py   (writes tests/golden/density/{predict,validity}_*.npy)
"""
import pathlib
import warnings

import hdbscan
import numpy as np
from hdbscan.validity import validity_index

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "density"
rng = np.random.default_rng(20240612)


def save(name, array):
    np.save(HERE / f"{name}.npy", array)


centres = rng.normal(size=(5, 3)) * 4
x = np.vstack([c + rng.normal(size=(60, 3)) * s for c, s in zip(centres, (0.3, 0.6, 0.9, 0.4, 1.2))]).astype(np.float32)
new = np.vstack([x[::3] + rng.normal(size=(100, 3)) * 0.3, rng.normal(size=(60, 3)) * 5]).astype(np.float32)
save("predict_x", x)
save("predict_new", new)
# min_cluster_size, min_samples, leaf. The package forgets epsilon here, so it is left out.
cases = [(10, 5, 0), (8, 3, 1), (15, 10, 0)]
save("predict_cases", np.array(cases, dtype=np.int32))
for i, (size, samples, leaf) in enumerate(cases):
    model = hdbscan.HDBSCAN(min_cluster_size=size, min_samples=samples, approx_min_span_tree=False, algorithm="generic",
                            cluster_selection_method="leaf" if leaf else "eom", prediction_data=True,
                            gen_min_span_tree=True).fit(x.astype(np.float64))
    labels, strengths = hdbscan.approximate_predict(model, new.astype(np.float64))
    exemplars = np.sort(np.concatenate([np.flatnonzero((x[:, None] == e[None].astype(np.float32)).all(-1).any(1))
                                        for e in model.exemplars_])).astype(np.int32)
    whole = validity_index(x.astype(np.float64), model.labels_, per_cluster_scores=True)
    save(f"predict_{i}", np.stack([labels, strengths], 1).astype(np.float64))
    save(f"predict_fit_{i}", model.labels_.astype(np.int32))
    save(f"predict_exemplars_{i}", exemplars)
    save(f"validity_{i}", np.r_[whole[0], model.relative_validity_].astype(np.float64))
