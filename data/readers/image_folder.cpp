#include "data/readers/image_folder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "data/natural_order.h"
#include "data/prepare.h"
#include "data/readers/image.h"
#include "data/readers/scan.h"

namespace clade::data {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::string end = path.extension().string();
  for (char& c : end) c = char(std::tolower(static_cast<unsigned char>(c)));
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

std::vector<fs::path> pictures_below(const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code problem;
  fs::recursive_directory_iterator entry(folder, problem), end;
  for (; !problem && entry != end; entry.increment(problem))
    if (entry->is_regular_file(problem) && is_picture(entry->path()))
      paths.push_back(entry->path());
  if (problem) fail("image folder", text("a readable folder ", folder), problem.message());
  if (paths.empty())
    fail("image folder", "pictures (.png, .jpg, .jpeg)", text("none in or below ", folder));
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.generic_string(), b.generic_string());
  });
  return paths;
}

// "obj7" of "obj7__31.png"; empty for other names.
std::string coil_class(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t bar = stem.find("__");
  const bool coil = stem.starts_with("obj") && bar != std::string::npos &&
                    to_integer(std::string_view(stem).substr(3, bar - 3)) &&
                    to_integer(std::string_view(stem).substr(bar + 2));
  return coil ? stem.substr(0, bar) : std::string();
}

Labels labels_of(const std::vector<fs::path>& paths) {
  std::vector<std::string> coil, folders;
  for (const fs::path& path : paths) {
    coil.push_back(coil_class(path));
    folders.push_back(path.parent_path().filename().string());
  }
  if (std::find(coil.begin(), coil.end(), "") == coil.end()) return Labels::from_words(coil);
  const bool one_folder = std::all_of(paths.begin(), paths.end(), [&](const fs::path& path) {
    return path.parent_path() == paths[0].parent_path();
  });
  return one_folder ? Labels() : Labels::from_words(folders);
}

// (H, W, C) u8 as images (1, C', H', W') f32 with C' channels, of the size that is asked for.
Tensor prepared(const Tensor& picture, int64_t channels, const ImageFolderOptions& options) {
  Tensor image = from_tensor("picture", picture.unsqueeze(0).permute({0, 3, 1, 2})).values;
  if (channels == 1) image = to_grey(image);
  if (options.height > 0) image = resize(image, options.height, options.width);
  return image;
}

}  // namespace

Dataset load_image_folder(const std::string& folder, const ImageFolderOptions& options) {
  if (options.height < 0 || options.width < 0 || (options.height == 0) != (options.width == 0))
    fail("image folder", "a height and a width of 1 or more, or neither",
         text(options.height, " x ", options.width));
  const std::vector<fs::path> paths = pictures_below(folder);
  std::vector<Tensor> pictures;  // u8: a quarter of what they become
  bool colour = options.colour == ImageFolderOptions::Colour::rgb;
  for (const fs::path& path : paths) {
    Tensor picture = load_image(path.string());
    const Tensor& first = pictures.empty() ? picture : pictures.front();
    if (options.height == 0 &&
        (picture.size(0) != first.size(0) || picture.size(1) != first.size(1)))
      fail("image folder",
           text("pictures of one size, ", first.size(0), " x ", first.size(1), " as ",
                paths[0].string()),
           text(picture.size(0), " x ", picture.size(1), " in ", path.string()),
           "ask for a height and a width to resize them to");
    if (options.colour == ImageFolderOptions::Colour::automatic)
      colour = colour || picture.size(2) == 3;
    pictures.push_back(picture);
  }

  Dataset d;
  d.name = folder;
  d.labels = labels_of(paths);
  const int64_t channels = colour ? 3 : 1;
  for (size_t i = 0; i < pictures.size(); i++) {
    const Tensor image = prepared(pictures[i], channels, options);
    if (i == 0)
      d.values = Tensor::empty({int64_t(pictures.size()), channels, image.size(2), image.size(3)},
                               DType::f32, Layout::channels_last);
    d.values.slice(0, int64_t(i), int64_t(i) + 1).copy_(image);  // grey is repeated to RGB
    pictures[i] = Tensor();
  }
  return d;
}

}  // namespace clade::data
