#!/usr/bin/env python3
"""Clade's clustering beside its peers, job by job: bench/results/peers-clustering.json.

    bench/peers/setup
    build/peers/bin/python bench/peers/clustering.py [--clade build/release/clade] [--jobs knn,umap] [--rounds 5] [--list]

Rows are written as soon as they are measured, into an existing file beside those of other jobs: so the table can
be made in parts. A machine that is not quiet only moves both sides of a ratio.

A job is a data set, what Clade is asked, and its peers. Clade and each peer take turns, each run in a process
of its own on the same threads, and medians over the rounds are compared, because the speed of a machine
drifts; a gauge, sgemm of 1024 in NumPy, is logged in every round. A peer is warmed up on a few rows first, so
that what it compiles is not counted. Time is that of the fit alone, in the process that runs it; memory is the
highest resident size of the whole process. A job that is added is one function with @job and one function a peer.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
JOBS, PEERS = {}, {}


def job(*peers):
    """Registers f(clade) -> (seconds, answer): clade(arguments...) runs the program and returns its JSON."""
    return lambda f: JOBS.setdefault(f.__name__, (f, peers)) and f


def peer(f):
    """Registers f(rows, **settings) -> answer, which is timed; the job of the same name prefix says the settings."""
    return PEERS.setdefault(f.__name__, f)


# --- data: name -> rows (f32); written once to a temporary folder for both sides.

def data(name):
    if name == "fashion":
        import gzip
        folder = pathlib.Path(os.environ.get("CLADE_FASHION", "/usr/share/datasets/fashion-mnist"))
        parts = [np.frombuffer(gzip.open(folder / f"{p}-images-idx3-ubyte.gz").read(), np.uint8)[16:]
                 for p in ("train", "t10k")]
        return np.concatenate(parts).reshape(-1, 784).astype(np.float32) / 255
    if name == "fashion50":
        from sklearn.decomposition import PCA
        return PCA(50, random_state=0).fit_transform(data("fashion")).astype(np.float32)
    if name == "fashion10":
        return data("fashion50")[:, :10].copy()
    kind, n, d = name.split("-")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(int(n), int(d)))
    if kind == "blobs":
        centres = rng.normal(size=(50, int(d))) * 12
        x += centres[rng.integers(0, 50, size=int(n))]
    return x.astype(np.float32)


# --- peers: imported inside, each in its own process. warm() is called first with few rows.

@peer
def sklearn_knn(x, k):
    from sklearn.neighbors import NearestNeighbors
    distance, index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()
    return {"index": index.astype(np.int32), "distance": distance}


@peer
def faiss_knn(x, k):
    import faiss
    faiss.omp_set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    search = faiss.IndexFlatL2(x.shape[1])
    search.add(x)
    squared, index = search.search(x, k + 1)  # itself is among them
    return {"index": index[:, 1:].astype(np.int32), "distance": np.sqrt(np.maximum(squared[:, 1:], 0))}


@peer
def pynndescent_knn(x, k):
    from pynndescent import NNDescent
    index, distance = NNDescent(x, n_neighbors=k + 1, random_state=0,
                                n_jobs=int(os.environ["NUMBA_NUM_THREADS"])).neighbor_graph
    return {"index": index[:, 1:].astype(np.int32), "distance": distance[:, 1:]}


@peer
def hdbscan(x, size, samples):
    import hdbscan as package
    fit = package.HDBSCAN(min_cluster_size=size, min_samples=samples, approx_min_span_tree=False,
                          gen_min_span_tree=True, core_dist_n_jobs=int(os.environ["OMP_NUM_THREADS"])).fit(x)
    return {"labels": fit.labels_, "weight": np.array([fit.minimum_spanning_tree_._mst[:, 2].sum()])}


@peer
def fast_hdbscan(x, size, samples):
    import fast_hdbscan as package
    return {"labels": package.HDBSCAN(min_cluster_size=size, min_samples=samples).fit(x).labels_}


@peer
def sklearn_kmeans(x, k, starts, first):
    from sklearn.cluster import KMeans
    init = np.load(first) if first else "k-means++"
    fit = KMeans(min(k, len(x)), init=init[:len(x)] if first else init, n_init=starts, random_state=0).fit(x)
    return {"labels": fit.labels_, "inertia": np.array([fit.inertia_]), "iterations": np.array([fit.n_iter_])}


@peer
def sklearn_gmm(x, k, labels, iterations):
    """From given labels, a fixed number of iterations: what is compared is the time of one. In x's precision."""
    import warnings

    from sklearn.mixture import GaussianMixture
    warnings.filterwarnings("ignore")
    start = np.eye(k, dtype=x.dtype)[np.load(labels)[:len(x)]]

    class FromLabels(GaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None):
            self._initialize(X, start, xp=np)
    fit = FromLabels(k, max_iter=iterations, tol=0).fit(x)
    return {"likelihood": np.array([fit.lower_bound_])}


@peer
def sklearn_pca(x, dimensions):
    from sklearn.decomposition import PCA
    return {"embedding": PCA(dimensions, svd_solver="randomized", random_state=0).fit_transform(x)}


@peer
def numpy_pca(x, dimensions):
    centred = x - x.mean(0)
    return {"embedding": centred @ np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :dimensions]}


@peer
def umap_learn_seeded(x, dimensions):
    from umap import UMAP
    return {"embedding": UMAP(n_components=dimensions, random_state=0).fit_transform(x)}


@peer
def umap_learn(x, dimensions):
    from umap import UMAP
    return {"embedding": UMAP(n_components=dimensions, n_jobs=int(os.environ["OMP_NUM_THREADS"])).fit_transform(x)}


@peer
def opentsne(x, dimensions):
    from openTSNE import TSNE
    fit = TSNE(n_components=dimensions, n_jobs=int(os.environ["OMP_NUM_THREADS"]), random_state=0).fit(x)
    return {"embedding": np.asarray(fit), "divergence": np.array([fit.kl_divergence])}


@peer
def sklearn_silhouette(x, labels):
    from sklearn.metrics import silhouette_score
    return {"value": np.array([silhouette_score(x, np.load(labels)[:len(x)])])}


@peer
def sklearn_trustworthiness(x, embedding, k):
    from sklearn.manifold import trustworthiness
    return {"value": np.array([trustworthiness(x, np.load(embedding)[:len(x)], n_neighbors=k)])}


@peer
def sklearn_ami(x, labels, other):
    from sklearn.metrics import adjusted_mutual_info_score
    return {"value": np.array([adjusted_mutual_info_score(np.load(labels)[:len(x)], np.load(other)[:len(x)])])}


# --- jobs: what Clade is asked, and how its answer compares.

def knn_job(rows, k=15):
    def ask(run):
        told = run("knn", rows, "-k", k, "--method", "exact")
        folder = pathlib.Path(told["folder"])
        return told["seconds"], {"index": np.load(folder / "index.npy"), "distance": np.load(folder / "distance.npy")}

    def compare(ours, theirs):
        # Distances decide: where two tie, either row is right.
        worse = (ours["distance"] > theirs["distance"] * (1 + 1e-4) + 1e-6).mean()
        same = np.mean([len(np.intersect1d(a, b)) for a, b in zip(ours["index"][::50], theirs["index"][::50])]) / k
        return {"shared_neighbors": round(float(same), 6), "farther_than_peer": round(float(worse), 6)}
    return rows, {"k": k}, ask, compare


def descent_job(rows, k=15):
    """Approximate neighbours: time, and the share found of those that are as near as the exact k-th of 500 rows."""
    def ask(run):
        told = run("knn", rows, "-k", k, "--method", "nn-descent")
        return told["seconds"], {"distance": np.load(pathlib.Path(told["folder"]) / "distance.npy")}

    def compare(ours, theirs):
        x = data(rows[0])[:rows[1]].astype(np.float64)
        x -= x.mean(0)
        some = np.arange(500) * len(x) // 500
        squared = (x[some] ** 2).sum(1)[:, None] - 2 * x[some] @ x.T + (x ** 2).sum(1)
        last = np.sqrt(np.partition(squared, k, axis=1)[:, k:k + 1]) * (1 + 1e-5)
        return {f"recall_{who}": round(float((answer["distance"][some] <= last).mean()), 4)
                for who, answer in (("clade", ours), ("peer", theirs))}
    return rows, {"k": k}, ask, compare


def hdbscan_job(rows, size=50, samples=10):
    def ask(run):
        told = run("hdbscan", rows, "--min-cluster-size", size, "--min-samples", samples, "--no-report")
        labels = np.load(pathlib.Path(told["folder"]) / "labels.npy")
        return told["seconds"], {"labels": labels, "weight": np.array([told["tree_weight"]])}

    def compare(ours, theirs):
        from sklearn.metrics import adjusted_rand_score
        out = {"ari": round(float(adjusted_rand_score(ours["labels"], theirs["labels"])), 6)}
        if "weight" in theirs:
            out["tree_weight_ratio"] = float(ours["weight"][0] / theirs["weight"][0])
        return out
    return rows, {"size": size, "samples": samples}, ask, compare


def beside(name, make):
    """A file that both sides start from, made once."""
    path = pathlib.Path(tempfile.gettempdir()) / f"clade-peers-{name}.npy"
    if not path.exists():
        np.save(path, make())
    return str(path)


def kmeans_job(rows, k, starts=1, same_start=True):
    def first():
        x = data(rows[0])[:rows[1]]
        return x[np.random.default_rng(1).choice(len(x), k, replace=False)]
    file = beside(f"{rows[0]}-{rows[1]}-{k}", first) if same_start else ""

    def ask(run):
        told = run("kmeans", rows, "-k", k, "--n-init", starts, "--no-report", *(["--centres", file] if file else []))
        labels = np.load(pathlib.Path(told["folder"]) / "labels.npy")
        return told["seconds"], {"labels": labels, "inertia": np.array([told["inertia"]]),
                                 "iterations": np.array([told["iterations"]])}

    def compare(ours, theirs):
        from sklearn.metrics import adjusted_rand_score
        return {"inertia_ratio": float(ours["inertia"][0] / theirs["inertia"][0]),
                "iterations_clade": int(ours["iterations"][0]), "iterations_peer": int(theirs["iterations"][0]),
                "ari": round(float(adjusted_rand_score(ours["labels"], theirs["labels"])), 6)}
    return rows, {"k": k, "starts": starts, "first": file}, ask, compare


def gmm_job(rows, k=10, iterations=10):
    def labels():
        from sklearn.cluster import KMeans
        return KMeans(k, n_init=1, random_state=0).fit_predict(data(rows[0])[:rows[1]]).astype(np.int32)
    file = beside(f"labels-{rows[0]}-{rows[1]}-{k}", labels)

    def ask(run):
        told = run("gmm", rows, "-k", k, "--labels", file, "--max-iter", iterations, "--tol", 0, "--no-report")
        return told["seconds"], {"likelihood": np.array([told["lower_bound"]])}

    def compare(ours, theirs):
        # Its f32 rounds more than the promised 1e-6; Clade's products are f64.
        exact = sklearn_gmm(data(rows[0])[:rows[1]].astype(np.float64), k, file, iterations)
        return {"likelihood_clade": float(ours["likelihood"][0]), "likelihood_peer": float(theirs["likelihood"][0]),
                "likelihood_peer_f64": float(exact["likelihood"][0]), "iterations": iterations}
    return rows, {"k": k, "labels": file, "iterations": iterations}, ask, compare


def embedding_job(command, rows, dimensions):
    """Places of rows, by how well 15 neighbours are kept: of 3,000 rows among all, as trustworthiness needs n^2."""
    def ask(run):
        told = run(command, rows, "--n-components", dimensions, "--no-report")
        answer = {"embedding": np.load(pathlib.Path(told["folder"]) / "embedding.npy")}
        if "divergence" in told:
            answer["divergence"] = np.array([told["divergence"]])
        return told["seconds"], answer

    def compare(ours, theirs):
        out = {}
        for who, answer in (("clade", ours), ("peer", theirs)):
            if command == "pca":
                out[f"variance_{who}"] = float(answer["embedding"].astype(np.float64).var(0).sum())
            else:
                from sklearn.manifold import trustworthiness
                x = data(rows[0])[:rows[1]]
                some = np.random.default_rng(0).permutation(len(x))[:3000]
                out[f"trustworthiness_{who}"] = round(float(
                    trustworthiness(x[some], answer["embedding"][some], n_neighbors=15)), 4)
            if "divergence" in answer:
                out[f"divergence_{who}"] = round(float(answer["divergence"][0]), 4)
        return out
    return rows, {"dimensions": dimensions}, ask, compare


def side_file(folder, kind, count):
    """Labels or places of the first rows, for metrics: what they are does not matter, only that both sides see them."""
    rng = np.random.default_rng(1)
    x = data("fashion50")[:count]
    path = folder / f"{kind}-{count}.npy"
    if kind == "embedding":
        np.save(path, np.ascontiguousarray(x[:, :2]))
    else:
        centres = x[rng.permutation(len(x))[:10]]
        labels = ((x[:, None] - centres[None]) ** 2).sum(2).argmin(1).astype(np.int32)
        if kind == "other":
            labels[rng.random(len(x)) < 0.3] = 3
        np.save(path, labels)
    return str(path)


def metric_job(name, rows, files, key, *options):
    """files: the settings of the peer and the options of Clade that name them."""
    folder = pathlib.Path(tempfile.mkdtemp())
    count = rows[1] or 70000
    settings = {kind: side_file(folder, kind, count) for kind in files}
    k = {"k": 5} if "embedding" in files else {}

    def ask(run):
        if name == "metrics":
            told = run.plain(name, settings["labels"], settings["other"], "--json")
            return told["seconds"], {"value": told[key]}
        told = run.plain(name, rows, *(f for kind in files for f in (f"--{kind}", settings[kind])),
                         "--threads", run.threads, "--quiet", "--json", *options)
        return told[key + "_seconds"], {"value": told[key]}

    def compare(ours, theirs):
        return {"clade": ours["value"], "peer": float(theirs["value"][0])}
    return rows, {**settings, **k}, ask, compare


@job("sklearn_silhouette")
def silhouette_70k_784(): return metric_job("quality", ("fashion", None), ["labels"], "silhouette")


@job("sklearn_silhouette")
def silhouette_70k_50(): return metric_job("quality", ("fashion50", None), ["labels"], "silhouette")


@job("sklearn_ami")
def ami_70k(): return metric_job("metrics", ("fashion50", None), ["labels", "other"], "ami")


@job("sklearn_trustworthiness")
def trustworthiness_10k_784(): return metric_job("quality", ("fashion", 10000), ["embedding"], "trustworthiness")


@job("sklearn_knn", "faiss_knn")
def knn_20k_784(): return knn_job(("fashion", 20000))


@job("sklearn_knn", "faiss_knn")
def knn_70k_784(): return knn_job(("fashion", None))


@job("pynndescent_knn")
def knn_descent_70k_784(): return descent_job(("fashion", None))


@job("pynndescent_knn")
def knn_descent_70k_50(): return descent_job(("fashion50", None))


@job("fast_hdbscan", "hdbscan")
def hdbscan_70k_2(): return hdbscan_job(("blobs-70000-2", None))


@job("fast_hdbscan", "hdbscan")
def hdbscan_70k_10(): return hdbscan_job(("blobs-70000-10", None))


@job("fast_hdbscan", "hdbscan")
def hdbscan_1m_2(): return hdbscan_job(("blobs-1000000-2", None))


@job("hdbscan")
def hdbscan_20k_784(): return hdbscan_job(("fashion", 20000))


@job("sklearn_kmeans")
def kmeans_70k_784_k10(): return kmeans_job(("fashion", None), 10)


@job("sklearn_kmeans")
def kmeans_70k_50_k10_10_starts(): return kmeans_job(("fashion50", None), 10, 10, same_start=False)


@job("sklearn_kmeans")
def kmeans_70k_50_k1000(): return kmeans_job(("fashion50", None), 1000)


@job("sklearn_gmm")
def gmm_70k_10_k10(): return gmm_job(("fashion10", None))


@job("sklearn_gmm")
def gmm_70k_50_k10(): return gmm_job(("fashion50", None))


@job("sklearn_pca", "numpy_pca")
def pca_70k_784(): return embedding_job("pca", ("fashion", None), 50)


@job("umap_learn_seeded", "umap_learn")
def umap_20k_784(): return embedding_job("umap", ("fashion", 20000), 2)


@job("umap_learn_seeded", "umap_learn")
def umap_70k_784(): return embedding_job("umap", ("fashion", None), 2)


@job("umap_learn_seeded", "umap_learn")
def umap_70k_784_to_10(): return embedding_job("umap", ("fashion", None), 10)


@job("opentsne")
def tsne_10k_50(): return embedding_job("tsne", ("fashion50", 10000), 2)


@job("opentsne")
def tsne_70k_50(): return embedding_job("tsne", ("fashion50", None), 2)


def five(name):
    """Five data sets with classes, for the quality of embeddings: rows and classes of at most 5,000 rows."""
    if name == "fashion":
        import gzip
        folder = pathlib.Path(os.environ.get("CLADE_FASHION", "/usr/share/datasets/fashion-mnist"))
        classes = np.frombuffer(gzip.open(folder / "train-labels-idx1-ubyte.gz").read(), np.uint8)[8:]
        return data("fashion")[:5000], classes[:5000]
    if name == "blobs":
        rng = np.random.default_rng(2)
        classes = rng.integers(0, 20, 4000)
        return (rng.normal(size=(20, 30))[classes] * 2.5 + rng.normal(size=(4000, 30))).astype(np.float32), classes
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler
    loaded = {"digits": datasets.load_digits, "wine": datasets.load_wine, "cancer": datasets.load_breast_cancer}[name]()
    x = loaded.data if name == "digits" else StandardScaler().fit_transform(loaded.data)
    return x.astype(np.float32), loaded.target


def embedding_quality(x, classes, places):
    from sklearn.manifold import trustworthiness
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    places = np.asarray(places, np.float64)
    return {"trustworthiness": float(trustworthiness(x, places, n_neighbors=15)),
            "knn_accuracy": float(cross_val_score(KNeighborsClassifier(15), places, classes, cv=5).mean())}


def umap_quality(o, folder):
    """Row "umap_quality_<data>" of each data set: means over nine seeds, Clade and umap-learn. One run of
    either varies by .003 in accuracy on Fashion-MNIST, so three would not tell a difference of .005."""
    from umap import UMAP
    for name in ("digits", "fashion", "wine", "cancer", "blobs"):
        x, classes = five(name)
        path, out = folder / "quality.npy", folder / "quality"
        np.save(path, x)
        ours, theirs, clade_s, peer_s = [], [], [], []
        for seed in range(9):
            line = [o.clade, "umap", path, "--seed", seed + 1, "--threads", o.threads, "--out", out, "--json", "--quiet"]
            told = json.loads(subprocess.run(list(map(str, line)), capture_output=True, text=True, check=True).stdout)
            clade_s.append(told["seconds"])
            ours.append(embedding_quality(x, classes, np.load(out / "embedding.npy")))
            begun = time.perf_counter()
            places = UMAP(random_state=seed).fit_transform(x)
            peer_s.append(time.perf_counter() - begun)
            theirs.append(embedding_quality(x, classes, places))
        clade, other = statistics.median(clade_s), statistics.median(peer_s)
        quality = {f"{key}_{who}": round(statistics.mean(a[key] for a in answers), 4)
                   for key in ours[0] for who, answers in (("clade", ours), ("peer", theirs))}
        row = {"job": f"umap_quality_{name}", "peer": "umap_learn_seeded", "clade_s": round(clade, 3),
               "peer_s": round(other, 3), "ratio": round(other / clade, 2), "quality": quality, "rounds": 9}
        print(json.dumps(row), flush=True)
        write(o, [row])


# --- one peer in a process of its own: this file with --peer.

def run_peer(name, rows, settings, out):
    x = np.load(rows)
    PEERS[name](x[:2000].copy(), **settings)
    begun = time.perf_counter()
    answer = PEERS[name](x, **settings)
    seconds = time.perf_counter() - begun
    np.savez(out, **answer, seconds=seconds, mb=highest_mb())


# A process is born with its parent's highest size: so a small one starts Clade, and tells of its child.
LAUNCHER = """import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, end='')
sys.exit(code)"""


def highest_mb():
    """Of this process since it was started, and not of its parent, which ru_maxrss would tell."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def gauge():
    a = np.ones((1024, 1024), np.float32)
    begun = time.perf_counter()
    for _ in range(5):
        a @ a
    return round(5 * 2 * 1024**3 / (time.perf_counter() - begun) / 1e9, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clade", default="build/release/clade")
    parser.add_argument("--jobs", default="", help="jobs whose name contains one of these, separated by commas")
    parser.add_argument("--peers", default="", help="peers whose name contains this")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=3600, help="seconds a peer may take")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out", default=str(HERE.parent / "results" / "peers-clustering.json"))
    parser.add_argument("--peer", nargs=4, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.peer:
        return run_peer(o.peer[0], o.peer[1], json.loads(o.peer[2]), o.peer[3])
    if o.list:
        return print("\n".join(f"{name}: {', '.join(peers)}" for name, (_, peers) in JOBS.items()))

    threads = str(o.threads)
    os.environ.update(OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads, NUMBA_NUM_THREADS=threads,
                      MKL_NUM_THREADS=threads)
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, peers) in JOBS.items():
            if any(part in name for part in o.jobs.split(",")):
                for row in compare(o, name, make(), peers, pathlib.Path(folder)):
                    write(o, [row])
        if any(part in "umap_quality" for part in o.jobs.split(",")):
            umap_quality(o, pathlib.Path(folder))


def compare(o, name, made, peers, folder):
    (source, count), settings, ask, judge = made
    path = folder / "rows.npy"
    np.save(path, data(source)[:count])

    def clade(command, _, *arguments):
        out = folder / "clade"
        line = [o.clade, command, path, *arguments, "--threads", o.threads, "--out", out, "--json"]
        done = subprocess.run([sys.executable, "-c", LAUNCHER, *map(str, line)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name}: clade failed: {done.stderr.strip()}")
        told, clade.mb = done.stdout.rsplit("\n", 1)[0], float(done.stdout.rsplit("\n", 1)[1])
        return json.loads(told)

    def plain(command, *arguments):
        line = [o.clade, command, *(path if a is made[0] else a for a in arguments)]
        done = subprocess.run([sys.executable, "-c", LAUNCHER, *map(str, line)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{name}: clade failed: {done.stderr.strip()}")
        told, clade.mb = done.stdout.rsplit("\n", 1)[0], float(done.stdout.rsplit("\n", 1)[1])
        return json.loads(told)
    clade.plain, clade.threads = plain, o.threads

    for who in [p for p in peers if o.peers in p]:
        ours, theirs, gauges, ours_mb, quality, their_mb = [], [], [], 0, {}, 0
        for _ in range(o.rounds):
            gauges.append(gauge())
            seconds, answer = ask(clade)
            ours.append(seconds)
            ours_mb = max(ours_mb, clade.mb)
            out = folder / "peer.npz"
            try:
                subprocess.run([sys.executable, __file__, "--peer", who, str(path), json.dumps(settings), str(out)],
                               check=True, timeout=o.timeout, stderr=subprocess.DEVNULL)
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as problem:
                print(f"{name}: {who}: {type(problem).__name__}", file=sys.stderr)
                break
            result = np.load(out)
            theirs.append(float(result["seconds"]))
            their_mb = max(their_mb, float(result["mb"]))
            quality = judge(answer, result)
        if theirs:
            clade_s, peer_s = statistics.median(ours), statistics.median(theirs)
            row = {"job": name, "peer": who, "clade_s": round(clade_s, 3), "peer_s": round(peer_s, 3),
                   "ratio": round(peer_s / clade_s, 2), "clade_mb": round(ours_mb), "peer_mb": round(their_mb),
                   "quality": quality, "rounds": len(theirs), "gauge_gflops": gauges}
            print(json.dumps(row), flush=True)
            yield row


def write(o, rows):
    """Rows replace those of the same job and peer; the others stay."""
    path = pathlib.Path(o.out)
    old = json.loads(path.read_text())["rows"] if path.exists() else []
    done = {(r["job"], r["peer"]) for r in rows}
    versions = {}
    for package in ("numpy", "scikit-learn", "hdbscan", "fast_hdbscan", "faiss-cpu", "umap-learn", "openTSNE", "pynndescent"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            pass
    rows = [r for r in old if (r["job"], r["peer"]) not in done] + rows
    head = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "threads": o.threads, "versions": versions}
    lines = ",\n  ".join(json.dumps(r) for r in rows)
    path.write_text(json.dumps(head)[:-1] + ', "rows": [\n  ' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
