// Where data sets are looked for on this machine.
#pragma once

#include <string>
#include <vector>

namespace clade::data {

// Folders that may hold data sets, best first: `data_dir` (where not empty), $CLADE_DATA,
// /usr/share/datasets (Debian's dataset-* packages) and ../shared/data.
std::vector<std::string> places_for_data(const std::string& data_dir);

// Where the data that comes with Clade lies: share/clade beside the running program, where it was
// installed, and the source tree that it was built from.
std::vector<std::string> places_of_own_data();

// The path of `file` or, failing that, `file`.gz in `folder`; "" when there is neither.
std::string find_file(const std::string& folder, const std::string& file);

// The first folder that holds all of `files` (each plain or .gz) among <place>/<folder>, or <place>
// itself where it ends in that folder's name; "" when there is none.
std::string find_folder(const std::vector<std::string>& places,
                        const std::vector<std::string>& folders,
                        const std::vector<std::string>& files);

}  // namespace clade::data
