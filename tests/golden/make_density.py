#!/usr/bin/env python3
"""Golden files for tests/clustering/{hdbscan,umap}_test.cpp: what hdbscan and umap-learn make of small data.

Versions: numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, hdbscan 0.8.44, umap-learn 0.5.12.
Run: python tests/golden/make_density.py   (writes tests/golden/density/*.npy, tests/golden/umap/*.npy)

Ties. Mutual reachability ties by its nature: a point's edges to all nearer points of higher density
weigh the same, its core distance. A point between two clusters then joins either, as the edges
happen to be sorted; hdbscan's own algorithms disagree there. So the spanning tree is found here, in the
order (weight, lower row, higher row), and handed to hdbscan's own code for all that follows. Its weights
are asserted to be those of hdbscan.HDBSCAN. In most cases, and in at least one of every data set, no tie
matters: FIT lists them, and there labels and probabilities are asserted to be those of HDBSCAN.fit itself.
"""
import pathlib
import warnings

import hdbscan
import numpy as np
import scipy.sparse.linalg
import umap
from hdbscan._hdbscan_linkage import label as single_linkage
from hdbscan._hdbscan_tree import outlier_scores
from hdbscan.hdbscan_ import _tree_to_labels
from importlib.metadata import version
from sklearn.datasets import load_digits, make_moons
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score

assert version("hdbscan") == "0.8.44" and version("umap-learn") == "0.5.12"
warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(20240611)


def save(folder, name, array):
    (HERE / folder).mkdir(exist_ok=True)
    np.save(HERE / folder / f"{name}.npy", array)


def blobs(counts, deviations, d, scale):
    centres = rng.normal(size=(len(counts), d)) * scale
    return np.vstack([c + rng.normal(size=(n, d)) * s for c, n, s in zip(centres, counts, deviations)])


def spanning_tree(x, min_samples, alpha):
    x = x.astype(np.float64)
    n = len(x)
    squares = sum((x[:, None, j] - x[None, :, j]) ** 2 for j in range(x.shape[1]))
    core = np.sqrt(np.sort(squares, axis=1)[:, min(min_samples, n - 1)])  # itself stands first
    weight = np.maximum(np.maximum(core[:, None], core[None]), np.sqrt(squares) / alpha)
    a, b = np.triu_indices(n, 1)
    order = np.lexsort((b, a, weight[a, b]))
    parent = list(range(n))

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    edges = []
    for i, j in zip(a[order].tolist(), b[order].tolist()):
        p, q = find(i), find(j)
        if p != q:
            parent[q] = p
            edges.append((i, j, weight[i, j]))
    return np.array(edges, dtype=np.float64)


digits = load_digits().data.astype(np.uint8)
latents = blobs([60, 50, 40, 70], [0.5, 0.8, 1.0, 0.6], 10, 3)
DATA = [
    make_moons(200, noise=0.07, random_state=1)[0],
    blobs([80, 70, 60, 60], [0.2, 0.6, 1.2, 0.1], 2, 4),  # several densities
    np.repeat(blobs([40, 40], [0.5, 1.0], 2, 5), 2, axis=0),  # every row twice
    digits[:250],
    rng.normal(size=(150, 3)),  # no clusters
    latents,
    rng.normal(size=(12, 2)),
    rng.normal(size=(2, 2)),
    np.sort(rng.normal(size=(80, 1)) ** 3, axis=0),
    blobs([50, 50, 50], [0.3, 0.3, 0.3], 20, 1),  # more columns than a k-d tree likes
]
DATA = [x if x.dtype == np.uint8 else x.astype(np.float32) for x in DATA]

# data, min_cluster_size, min_samples, leaf, epsilon, allow_single_cluster, max_cluster_size, alpha
CASES = [
    (0, 5, 5, 0, 0, 0, 0, 1), (0, 10, 1, 0, 0, 0, 0, 1), (0, 5, 3, 1, 0.15, 0, 0, 1),
    (1, 10, 5, 0, 0, 0, 0, 1), (1, 5, 1, 1, 0, 0, 0, 1), (1, 8, 4, 0, 0.5, 0, 0, 1),
    (1, 5, 5, 0, 0, 0, 60, 1), (1, 10, 5, 0, 0, 0, 0, 1.5),
    (2, 8, 5, 0, 0, 0, 0, 1), (2, 5, 3, 1, 0, 0, 0, 1),
    (3, 5, 5, 0, 0, 0, 0, 1), (3, 3, 2, 1, 0, 0, 0, 1), (3, 5, 1, 0, 20, 0, 0, 1),
    (4, 5, 5, 0, 0, 0, 0, 1), (4, 5, 5, 0, 0, 1, 0, 1), (4, 10, 4, 0, 0.6, 1, 0, 1), (4, 2, 2, 1, 0, 0, 0, 1),
    (5, 15, 10, 0, 0, 0, 0, 1), (5, 10, 1, 1, 0, 0, 0, 1), (5, 5, 3, 1, 1.5, 1, 0, 1),
    (6, 2, 2, 0, 0, 0, 0, 1), (6, 5, 20, 0, 0, 1, 0, 1), (7, 2, 1, 0, 0, 0, 0, 1),
    (8, 4, 3, 0, 0, 0, 0, 1), (9, 10, 5, 0, 0, 0, 0, 1), (8, 4, 1, 0, 0, 0, 0, 1),
]
FIT = [i for i in range(len(CASES)) if i not in (5, 6, 7, 10, 11, 13, 16, 23)]  # cases in which no tie matters
assert {CASES[i][0] for i in FIT} == set(range(len(DATA)))
for i, x in enumerate(DATA):
    save("density", f"x{i}", x)
save("density", "cases", np.array([(*case, i in FIT) for i, case in enumerate(CASES)], dtype=np.float64))
for i, (data, size, samples, leaf, epsilon, single, largest, alpha) in enumerate(CASES):
    x = DATA[data]
    method = "leaf" if leaf else "eom"
    tree = spanning_tree(x, samples, alpha)
    labels, probabilities, _, condensed, _ = _tree_to_labels(
        x, single_linkage(tree), size, method, bool(single), False, float(epsilon), max_cluster_size=largest)
    save("density", f"case{i}", np.stack([labels, probabilities, outlier_scores(condensed)], 1).astype(np.float32))

    plain = hdbscan.HDBSCAN(
        min_cluster_size=size, min_samples=samples, alpha=float(alpha), cluster_selection_method=method,
        cluster_selection_epsilon=float(epsilon), allow_single_cluster=bool(single),
        max_cluster_size=largest, approx_min_span_tree=False, algorithm="prims_kdtree").fit(x)
    np.testing.assert_allclose(np.sort(plain.single_linkage_tree_.to_numpy()[:, 2]), tree[:, 2], rtol=1e-12)
    agreement = adjusted_rand_score(labels, plain.labels_)
    print(f"case {i}: {labels.max() + 1} clusters, adjusted Rand index with plain hdbscan {agreement:.4f}")
    if i in FIT:
        assert agreement == 1 and (labels < 0).tolist() == (plain.labels_ < 0).tolist()
        np.testing.assert_allclose(probabilities, plain.probabilities_, atol=1e-6)

# Soft membership, where all selected clusters are leaves and nothing ties.
x = DATA[5]
model = hdbscan.HDBSCAN(min_cluster_size=10, min_samples=1, approx_min_span_tree=False,
                        cluster_selection_method="leaf", prediction_data=True).fit(x.astype(np.float64))
soft = hdbscan.all_points_membership_vectors(model)
save("density", "soft_labels", model.labels_.astype(np.int32))
save("density", "soft", soft.astype(np.float32))

# UMAP: the fuzzy graph of given neighbours, in two settings; scales; curves; smooth functions.
n, k = 120, 10
x = digits[:n].astype(np.float64) + rng.normal(size=(n, 64)) * 0.1
x[7] = x[3]  # a neighbour at distance 0
distance = np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1))
index = np.argsort(distance, axis=1, kind="stable")[:, :k].astype(np.int32)
index[7] = np.r_[7, 3, index[7][2:]]  # itself first
distance = np.take_along_axis(distance, index, 1).astype(np.float32)
save("umap", "index", index)
save("umap", "distance", distance)
for name, mix, connectivity in (("union", 1.0, 1.0), ("mixed", 0.4, 2.5)):
    graph, sigma, rho = umap.umap_.fuzzy_simplicial_set(
        x, k, np.random.RandomState(0), "euclidean", knn_indices=index, knn_dists=distance,
        set_op_mix_ratio=mix, local_connectivity=connectivity)
    graph = graph.tocoo()
    save("umap", f"{name}_rows", np.stack([graph.row, graph.col], 1).astype(np.int32))
    save("umap", f"{name}_weights", graph.data.astype(np.float32))
    save("umap", f"{name}_scales", np.stack([rho, sigma], 1).astype(np.float32))
    if name == "union":
        w = graph.toarray().astype(np.float64)
        root = np.sqrt(w.sum(1))
        assert scipy.sparse.csgraph.connected_components(w)[0] == 1
        save("umap", "eigenvalues", np.sort(np.linalg.eigvalsh(w / root[:, None] / root[None]))[::-1][:6].copy())
save("umap", "curves", np.array([(m, s, *umap.umap_.find_ab_params(s, m)) for m, s in
                                 ((0.1, 1), (0, 1), (0.5, 1), (0.99, 1), (0.25, 2), (0, 0.5))], dtype=np.float64))

# The whole: trustworthiness of umap-learn's embeddings of some digits.
x = digits[:600]
save("umap", "digits", x)
save("umap", "trustworthiness", np.array([
    trustworthiness(x, umap.UMAP(random_state=seed).fit_transform(x), n_neighbors=15) for seed in range(3)]))
