#!/usr/bin/env python3
"""Golden files for tests/clustering/agreement_test.cpp: hdbscan's labels and tree weights on 20 data sets.

Versions: numpy 2.4.6, scikit-learn 1.9.1, hdbscan 0.8.44. Run: python tests/golden/make_agreement.py

Each data set is taken with the first seed where no tie matters (see make_density.py): HDBSCAN.fit with
approx_min_span_tree=False gives the same labels by Prim's and by Boruvka's algorithm, and so does the
package's own code for the tree in the order (weight, lower row, higher row).
Files: agreement/x<i>.npy (n, d) f32; agreement/labels<i>.npy (n, 3) i32: plain, and with two thresholds of
cluster_selection_persistence; agreement/cases.npy (20, 5): min_cluster_size, min_samples, the two thresholds,
the weight of the spanning tree.
"""
import pathlib
import warnings
from importlib.metadata import version

import hdbscan
import numpy as np
from hdbscan._hdbscan_linkage import label as single_linkage
from hdbscan.hdbscan_ import _tree_to_labels
from scipy.spatial.distance import cdist
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_circles, make_moons
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

assert version("hdbscan") == "0.8.44"
warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "agreement"


def blobs(rng, n, d, k, spread, noise=0):
    centres = rng.normal(size=(k, d)) * spread
    x = centres[rng.integers(0, k, n)] + rng.normal(size=(n, d)) * rng.uniform(.5, 1.5, (k, 1))[rng.integers(0, k, n)]
    return np.vstack([x, rng.uniform(x.min(0), x.max(0), (noise, d))])


def nested(rng, n):
    inner, outer = rng.normal(size=(n, 3)) * .3 + 2, rng.normal(size=(n, 3)) * 2
    return np.vstack([inner, outer, rng.normal(size=(n // 2, 3)) * .5 - 4])


def real(load, n, d=None):
    def make(rng):
        x = load().data
        x = (x - x.mean(0)) / (x.std(0) + 1e-9)
        x = PCA(d).fit_transform(x) if d else x
        x = x[rng.permutation(len(x))[:n]]
        return x + rng.normal(size=x.shape) * 1e-3  # no two rows alike
    return make


MAKERS = [
    lambda r: blobs(r, 300, 2, 3, 8), lambda r: blobs(r, 300, 2, 6, 6, 60), lambda r: blobs(r, 250, 3, 4, 5, 40),
    lambda r: blobs(r, 300, 5, 5, 5), lambda r: blobs(r, 250, 8, 4, 3, 50), lambda r: blobs(r, 250, 12, 5, 3),
    lambda r: blobs(r, 200, 20, 4, 2), lambda r: blobs(r, 200, 40, 3, 2, 20), lambda r: blobs(r, 150, 60, 3, 1.5),
    lambda r: make_moons(300, noise=.06, random_state=int(r.integers(1 << 30)))[0],
    lambda r: make_circles(300, noise=.04, factor=.5, random_state=int(r.integers(1 << 30)))[0],
    lambda r: nested(r, 100), lambda r: r.normal(size=(250, 2)), lambda r: r.uniform(size=(250, 4)),
    lambda r: np.exp(r.normal(size=(250, 3)) * .8), real(load_iris, 150), real(load_wine, 178),
    real(load_breast_cancer, 200), real(load_digits, 200, 10), real(load_digits, 150, 30),
]
SIZES = [(5, 5), (10, 5), (8, 3), (15, 10), (6, 6), (12, 4), (5, 2), (7, 7), (9, 3), (20, 5)]


def trees(x, size, samples):
    fits = [hdbscan.HDBSCAN(min_cluster_size=size, min_samples=samples, approx_min_span_tree=False,
                            gen_min_span_tree=True, algorithm=how) for how in ("prims_kdtree", "boruvka_kdtree")]
    return [f.fit(x) for f in fits]


def fit(x, size, samples, persistence=0.0):
    return hdbscan.HDBSCAN(min_cluster_size=size, min_samples=samples, approx_min_span_tree=False,
                           cluster_selection_persistence=persistence).fit(x)


def ours(x, samples, size):
    """Labels for the tree whose ties go by rows, and its weight."""
    x, n = x.astype(np.float64), len(x)
    distance = cdist(x, x)
    core = np.sort(distance, axis=1)[:, min(samples, n - 1)]
    weight = np.maximum(np.maximum(core[:, None], core[None]), distance)
    a, b = np.triu_indices(n, 1)
    parent, edges = list(range(n)), []
    for e in np.lexsort((b, a, weight[a, b])):
        p, q = a[e], b[e]
        while parent[p] != p:
            parent[p] = p = parent[parent[p]]
        while parent[q] != q:
            parent[q] = q = parent[parent[q]]
        if p != q:
            parent[p] = q
            edges.append((a[e], b[e], weight[a[e], b[e]]))
    tree = np.array(edges, np.float64)

    def labels(persistence):
        return _tree_to_labels(x, single_linkage(tree), min_cluster_size=size,
                               cluster_selection_persistence=persistence)[0]
    return labels, tree[:, 2].sum()


HERE.mkdir(exist_ok=True)
cases = []
for i, make in enumerate(MAKERS):
    size, samples = SIZES[i % len(SIZES)]
    for seed in range(50):
        x = make(np.random.default_rng([i, seed])).astype(np.float32)
        a, b = trees(x, size, samples)
        labels_for, weight = ours(x, samples, size)
        labels = labels_for(0.0)
        if adjusted_rand_score(a.labels_, b.labels_) < 1 or adjusted_rand_score(a.labels_, labels) < 1:
            continue
        if len(set(labels)) < 2:
            continue
        tree = a.condensed_tree_.to_numpy()
        births = np.unique(tree["lambda_val"][tree["child_size"] > 1])
        spans = [0.05 * births[-1], 0.4 * births[-1]]
        out = [labels] + [fit(x, size, samples, float(s)).labels_ for s in spans]
        if any(adjusted_rand_score(o, labels_for(float(s))) < 1 for o, s in zip(out[1:], spans)):
            continue
        assert np.isclose(weight, a.minimum_spanning_tree_._mst[:, 2].sum(), rtol=1e-9)
        break
    else:
        raise SystemExit(f"data set {i}: ties matter for every seed")
    print(i, x.shape, "seed", seed, "clusters", [int(o.max() + 1) for o in out], "noise", int((labels < 0).sum()))
    np.save(HERE / f"x{i}.npy", x)
    np.save(HERE / f"labels{i}.npy", np.stack(out, 1).astype(np.int32))
    cases.append([size, samples, *spans, weight])
np.save(HERE / "cases.npy", np.array(cases))
