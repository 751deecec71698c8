#!/usr/bin/env python3
"""Golden files for tests/clustering: inputs and what scikit-learn makes of them.

Versions: numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1.
Run: python tests/golden/make_clustering.py   (writes tests/golden/clustering/*.npy)

Inputs are rounded to 3 decimals, so that f32 and f64 versions of them are close and files stay small.
"""
import pathlib
import warnings

import numpy as np
import sklearn
from scipy.optimize import linear_sum_assignment
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.mixture import GaussianMixture

assert sklearn.__version__ == "1.9.1", sklearn.__version__
warnings.filterwarnings("ignore")
OUT = pathlib.Path(__file__).parent / "clustering"
OUT.mkdir(exist_ok=True)
rng = np.random.default_rng(20240607)


def save(name, array):
    array = np.asarray(array)
    if array.dtype.kind in "iu":
        array = array.astype(np.int32)
    np.save(OUT / f"{name}.npy", array)


def blobs(n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    labels = rng.integers(k, size=n)
    x = centres[labels] + rng.normal(size=(n, d)) * spread
    return np.round(x, 3), labels.astype(np.int32)


# -- metrics of two labellings -------------------------------------------------------------------
def accuracy(truth, predicted):
    table = metrics.cluster.contingency_matrix(truth, predicted)
    rows, columns = linear_sum_assignment(-table)
    return table[rows, columns].sum() / len(truth)


def scores(t, p):
    """In the order in which tests/clustering/metrics_test.cpp reads them."""
    means = ["arithmetic", "geometric", "min", "max"]
    return np.array(
        [accuracy(t, p),
         metrics.cluster.contingency_matrix(t, p).max(axis=0).sum() / len(t),
         metrics.rand_score(t, p), metrics.adjusted_rand_score(t, p),
         metrics.fowlkes_mallows_score(t, p), metrics.mutual_info_score(t, p)]
        + [metrics.normalized_mutual_info_score(t, p, average_method=m) for m in means]
        + [metrics.adjusted_mutual_info_score(t, p, average_method=m) for m in means]
        + list(metrics.homogeneity_completeness_v_measure(t, p)))


def noisy(truth, share, k):
    p = np.where(rng.random(len(truth)) < share, rng.integers(k, size=len(truth)), truth)
    return p.astype(np.int32)


t = rng.integers(10, size=600).astype(np.int32)
hdbscan_like = noisy((t * 7 + 3) % 10, 0.3, 10)
hdbscan_like[rng.random(600) < 0.2] = -1
cases = {
    "good": (t, noisy((t + 4) % 10, 0.2, 10)),
    "random": (t, rng.integers(10, size=600).astype(np.int32)),
    "more_clusters": (t, noisy(t * 3, 0.5, 37)),
    "fewer_clusters": (t, noisy(t // 3, 0.1, 4)),
    "noise": (t, hdbscan_like),
    "skewed": (np.minimum(rng.geometric(0.3, 500), 8).astype(np.int32) - 9,
               np.minimum(rng.geometric(0.5, 500), 5).astype(np.int32) * 1000),
    "tiny": (np.array([0, 0, 1, 1, 2], np.int32), np.array([1, 1, 0, 2, 2], np.int32)),
    "same": (t, ((t + 3) % 10).astype(np.int32)),
    "one_cluster": (t, np.zeros_like(t)),
    "one_class": (np.zeros_like(t), t),
    "one_each": (np.zeros(50, np.int32), np.full(50, 7, np.int32)),
    "singletons": (np.arange(60, dtype=np.int32), np.arange(60, dtype=np.int32)[::-1].copy()),
}
for name, (truth, predicted) in cases.items():
    save(f"labels_{name}_truth", truth)
    save(f"labels_{name}_predicted", predicted)
    save(f"labels_{name}_scores", scores(truth, predicted))

# -- silhouette, trustworthiness -----------------------------------------------------------------
x, labels = blobs(300, 4, 5, 1.5)
labels[:7] = -1
labels[7] = 99  # a cluster of one point
save("silhouette_x", x.astype(np.float32))
save("silhouette_labels", labels)
save("silhouette_samples", metrics.silhouette_samples(x.astype(np.float32).astype(float), labels))
save("separation", [metrics.davies_bouldin_score(x.astype(np.float32).astype(float), labels),
                    metrics.calinski_harabasz_score(x.astype(np.float32).astype(float), labels)])
flat = np.round(x[:, :2] + rng.normal(size=(300, 2)) * 0.3, 3)
save("trustworthiness_embedding", flat.astype(np.float32))
save("trustworthiness",
     [trustworthiness(x.astype(np.float32).astype(float), flat.astype(np.float32).astype(float),
                      n_neighbors=k) for k in (1, 5, 15, 100)])

# -- PCA -----------------------------------------------------------------------------------------
for name, x in {
    "tall": np.round(rng.normal(size=(90, 6)) @ rng.normal(size=(6, 6)) + 20, 3),
    "wide": np.round(rng.normal(size=(12, 25)) @ np.diag(np.linspace(3, 0.2, 25)) - 5, 3),
}.items():
    pca = PCA(n_components=5, svd_solver="full").fit(x)
    white = PCA(n_components=5, svd_solver="full", whiten=True).fit(x)
    save(f"pca_{name}_x", x)
    save(f"pca_{name}_components", pca.components_)
    save(f"pca_{name}_variance", pca.explained_variance_)
    save(f"pca_{name}_ratio", pca.explained_variance_ratio_)
    save(f"pca_{name}_scores", pca.transform(x))
    save(f"pca_{name}_whitened", white.transform(x))
    save(f"pca_{name}_inverse", pca.inverse_transform(pca.transform(x)))

# -- k-means from given centres ------------------------------------------------------------------
x, _ = blobs(400, 3, 6, 1.2)
start = np.round(rng.normal(size=(6, 3)) * 3, 3)
lost = start.copy()
lost[2] = [500, 500, 500]  # nobody's centre: its cluster is relocated
lost[5] = [-400, 500, 100]
weights = np.round(rng.random(400) * 3, 3)
weights[::17] = 0
save("kmeans_x", x)
save("kmeans_weights", weights)
for name, centres, w, options in [
    ("plain", start, None, {}), ("weighted", start, weights, {}), ("lost", lost, None, {}),
    ("strict", start, None, {"tol": 0}), ("short", start, None, {"max_iter": 3}),
]:
    model = KMeans(6, init=centres, n_init=1, **options).fit(x, sample_weight=w)
    save(f"kmeans_{name}_start", centres)
    save(f"kmeans_{name}_centres", model.cluster_centers_)
    save(f"kmeans_{name}_labels", model.labels_)
    save(f"kmeans_{name}_inertia", [model.inertia_, model.n_iter_])


# -- Gaussian mixture from given responsibilities ------------------------------------------------
class FromResponsibilities(GaussianMixture):
    def _initialize_parameters(self, X, random_state, xp=None):
        self._initialize(X, self.start, xp=np)


x, _ = blobs(250, 3, 3, 1.4)
x = np.round(x @ rng.normal(size=(3, 3)) + 10, 3)
start = rng.random((250, 3)) ** 4
start /= start.sum(axis=1, keepdims=True)
save("gmm_x", x)
save("gmm_start", start)
for kind in ["full", "diag", "spherical", "tied"]:
    model = FromResponsibilities(3, covariance_type=kind)
    model.start = start
    model.fit(x)
    save(f"gmm_{kind}_weights", model.weights_)
    save(f"gmm_{kind}_means", model.means_)
    save(f"gmm_{kind}_covariances", model.covariances_)
    save(f"gmm_{kind}_bounds", model.lower_bounds_)
    save(f"gmm_{kind}_labels", model.predict(x))
    save(f"gmm_{kind}_criteria", [model.aic(x), model.bic(x)])
    save(f"gmm_{kind}_likelihood", model.score_samples(x))
    print(kind, model.n_iter_, model.converged_)

print("bytes:", sum(f.stat().st_size for f in OUT.glob("*.npy")))
