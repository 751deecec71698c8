#!/usr/bin/env python3
"""Golden files for tests/clustering/{umap_options,tsne}_test.cpp: what umap-learn, scikit-learn and openTSNE make of small data.

Versions: numpy 2.4.6, scikit-learn 1.9.1, umap-learn 0.5.12, openTSNE 1.0.4.
Run: python tests/golden/make_manifold.py   (writes tests/golden/umap/*.npy, tests/golden/tsne/*.npy; reads those
that make_density.py writes to tests/golden/umap)
"""
import os
from importlib.metadata import version

import numpy as np
import openTSNE
import scipy.sparse
import umap
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import _t_sne
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

assert version("umap-learn") == "0.5.12" and version("openTSNE") == "1.0.4"
HERE = os.path.dirname(os.path.abspath(__file__))


def save(folder, name, value):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    np.save(os.path.join(HERE, folder, name + ".npy"), np.ascontiguousarray(value))


def load(name):
    return np.load(os.path.join(HERE, "umap", name + ".npy"))


# Supervised: the graph of make_density.py ("union"), with the digits as labels, every fifth unknown.
digits, truth = load_digits(return_X_y=True)
rows, weights = load("union_rows"), load("union_weights")
graph = scipy.sparse.coo_matrix((weights, (rows[:, 0], rows[:, 1])), shape=(120, 120))
labels = truth[:120].astype(np.int32)
labels[::5] = -1
save("umap", "labels", labels)
for name, weight in (("half", 0.5), ("all", 1.0)):
    far = 2.5 / (1 - weight) if weight < 1 else 1e12
    joined = umap.umap_.discrete_metric_simplicial_set_intersection(graph.copy(), labels, far_dist=far).toarray()
    save("umap", f"supervised_{name}", joined.astype(np.float32))

# densMAP and transform on some digits: correlation of the two radii, and how good the places of new rows are.
x, y = digits[:600].astype(np.float32), truth[:600]
new_x, new_y = digits[600:900].astype(np.float32), truth[600:900]
save("umap", "digits_truth", y.astype(np.int32))
save("umap", "new_digits", new_x)
save("umap", "new_digits_truth", new_y.astype(np.int32))
figures = []
for seed in range(3):
    _, original, embedded = umap.UMAP(densmap=True, output_dens=True, random_state=seed).fit_transform(x)
    model = umap.UMAP(random_state=seed).fit(x)
    placed = model.transform(new_x)
    accuracy = KNeighborsClassifier(15).fit(model.embedding_, y).score(placed, new_y)
    inner = model.embedding_[:100] * 0.9 + model.embedding_.mean(0) * 0.1
    figures.append((np.corrcoef(original, embedded)[0, 1], accuracy))
    print("seed", seed, "densMAP correlation, transform accuracy:", figures[-1])
save("umap", "figures", np.array(figures))

# t-SNE: joint probabilities and the exact gradient of 200 digits.
x = digits[:200].astype(np.float64)
squared = ((x[:, None] - x[None]) ** 2).sum(-1)
joint = _t_sne._joint_probabilities(squared, 30, 0)
save("tsne", "x", x.astype(np.float32))
save("tsne", "joint", joint)  # condensed upper triangle
start = np.random.default_rng(0).normal(size=(200, 2)) * 3
kl, gradient = _t_sne._kl_divergence(start.ravel(), joint, 1, 200, 2)
save("tsne", "start", start)
save("tsne", "kl", np.array([kl]))
save("tsne", "gradient", gradient.reshape(200, 2))
# The whole, by openTSNE with exact neighbours, 1500 digits.
x = digits[:1500].astype(np.float32)
save("tsne", "digits", x.astype(np.uint8))
kls = []
for negative in ("bh", "fft"):
    made = openTSNE.TSNE(neighbors="exact", negative_gradient_method=negative, random_state=0, n_jobs=2).fit(x)
    y = np.asarray(made)
    near = made.affinities.P.tocoo()
    closeness = 1 / (1 + ((y[:, None] - y[None]) ** 2).sum(-1))
    total = closeness.sum() - len(y)
    kls.append((near.data * np.log(near.data / (closeness[near.row, near.col] / total))).sum())  # exact
    print("openTSNE", negative, "KL", kls[-1], "trustworthiness", trustworthiness(x, made, n_neighbors=15))
save("tsne", "opentsne_kl", np.array(kls))
