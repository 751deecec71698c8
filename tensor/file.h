// Whole files, in and out.
//
// A file is written under a temporary name beside its target, flushed to the disk and renamed over
// it. A reader, and a run that is killed half way, see the old file or the new one, never a half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace clade {

// The bytes of the file. Throws Error with the path and the system's reason.
std::string read_file(const std::string& path);

// The same in pieces, for what is to lie where the caller wants it. All throw as read_file().
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  bool is_regular() const { return regular_; }  // else a pipe: only reading finds its end
  uint64_t size() const { return size_; }
  // The next bytes, as many as asked for or as there are; returns how many.
  size_t read(void* data, size_t bytes);
  std::string rest();  // all that is left

 private:
  std::string path_;
  uint64_t size_ = 0;
  bool regular_ = false;
  int descriptor_ = -1;
};

// Writes all of `bytes`, or throws Error and leaves what stood at `path` as it was.
void write_file_atomically(const std::string& path, std::string_view bytes);

// The same in pieces. Nothing is seen at `path` before commit(); without it the destructor removes
// what was written. Each write() is a system call: give it big pieces.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();

 private:
  std::string path_, temporary_;
  int descriptor_ = -1;
};

}  // namespace clade
