#include "tensor/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <new>

#include "tensor/error.h"

namespace clade {
namespace {

const char* cure_of(int error, bool writing) {
  switch (error) {
    case ENOENT: return writing ? "create its directory first" : "check the path";
    case ENOTDIR: return "a part of the path is a file, not a directory";
    case EACCES:
    case EPERM: return "ask for the permission, or choose another place";
    case EROFS: return "choose a place that can be written";
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "free some space, or choose another place";
    case EISDIR: return "name a file in it";
    case EEXIST: return "delete the .tmp files that killed runs left beside it";
    default: return "";
  }
}

[[noreturn]] void fail_reading(const std::string& path, int error) {
  fail("read_file", text("a file at \"", path, "\""), std::strerror(error), cure_of(error, false));
}

[[noreturn]] void fail_writing(const std::string& path, int error) {
  fail("write_file", text("to write \"", path, "\""), std::strerror(error), cure_of(error, true));
}

// The file that a rename must replace: what a symbolic link points to, not the link. A device or a
// pipe (/dev/stdout) has no place for a temporary file beside it and is refused.
std::string target_of(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return path;
  if (S_ISDIR(status.st_mode)) fail_writing(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    fail("write_file", text("a regular file at \"", path, "\""), "a device, pipe or socket",
         "name a file");
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? resolved : path;
}

}  // namespace

InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail_reading(path, errno);
  struct stat status;
  if (fstat(descriptor_, &status) != 0) {
    const int error = errno;
    close(descriptor_);
    fail_reading(path, error);
  }
  size_ = uint64_t(status.st_size);
  regular_ = S_ISREG(status.st_mode);
}

InputFile::~InputFile() { close(descriptor_); }

size_t InputFile::read(void* data, size_t bytes) {
  size_t filled = 0;
  while (filled < bytes) {
    const ssize_t got = ::read(descriptor_, static_cast<char*>(data) + filled, bytes - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_reading(path_, errno);
    if (got == 0) break;
    filled += size_t(got);
  }
  return filled;
}

std::string InputFile::rest() {
  try {
    // The size is a first guess: what counts is where reading ends.
    std::string bytes(size_t(size_) + 1, '\0');
    size_t filled = 0;
    while ((filled += read(bytes.data() + filled, bytes.size() - filled)) == bytes.size())
      bytes.resize(2 * bytes.size());
    bytes.resize(filled);
    return bytes;
  } catch (const std::bad_alloc&) {
    fail("read_file", text("memory for \"", path_, "\""), text(size_, " bytes"),
         "the file is too big for this machine");
  }
}

std::string read_file(const std::string& path) { return InputFile(path).rest(); }

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AtomicFile::AtomicFile(const std::string& path) : path_(target_of(path)) {
  static std::atomic<int> counter{0};  // with the process id: no two living writers share a name
  // A name may be taken all the same: by what a killed process left, whose id came back. In a
  // container every run may have the same one.
  for (int attempt = 0; descriptor_ < 0 && attempt < 1000; attempt++) {
    temporary_ = text(path_, ".", int(getpid()), "-", counter++, ".tmp");
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail_writing(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t done = ::write(descriptor_, next, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_writing(path_, errno);
    next += done;
    bytes -= size_t(done);
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail_writing(path_, errno);
  int closed = close(descriptor_);  // a network file system may report a full disk only here
  descriptor_ = -1;
  if (closed != 0) fail_writing(path_, errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_writing(path_, errno);
  temporary_.clear();
}

}  // namespace clade
