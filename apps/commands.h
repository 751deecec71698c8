// The subcommands of `clade`. Each declares its options on the program and what to do when it is
// called; CLI11 itself stays in the .cpp files.
#pragma once

namespace CLI {
class App;
}

namespace clade::apps {

void add_cluster(CLI::App& program);
void add_knn(CLI::App& program);
void add_hdbscan(CLI::App& program);
void add_kmeans(CLI::App& program);
void add_gmm(CLI::App& program);
void add_umap(CLI::App& program);
void add_tsne(CLI::App& program);
void add_pca(CLI::App& program);
void add_metrics(CLI::App& program);
void add_quality(CLI::App& program);
void add_info(CLI::App& program);
void add_datasets(CLI::App& program);
void add_assign(CLI::App& program);
void add_systems(CLI::App& program);
void add_reproduce(CLI::App& program);
void add_impute(CLI::App& program);
void add_ops(CLI::App& program);
void add_bench(CLI::App& program);

}  // namespace clade::apps
