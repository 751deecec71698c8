#include "tensor/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace clade {
namespace {

using testing::message_of;
using testing::TempDir;

int files_in(const TempDir& dir) {
  auto entries = std::filesystem::directory_iterator(dir.path());
  return int(std::distance(begin(entries), end(entries)));
}

// Lets this process act as a user without rights in a test that root would pass by.
class WithoutRoot {
 public:
  WithoutRoot() : was_root_(geteuid() == 0) {
    if (was_root_ && seteuid(65534) != 0) std::abort();
  }
  ~WithoutRoot() {
    if (was_root_ && seteuid(0) != 0) std::abort();
  }

 private:
  bool was_root_;
};

// No file may grow beyond `bytes` in this scope: stands in for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_;
};

TEST(File, WhatIsWrittenIsRead) {
  TempDir dir;
  std::string bytes("a\0b\n\xff", 5);
  write_file_atomically(dir / "five", bytes);
  EXPECT_EQ(read_file(dir / "five"), bytes);
  write_file_atomically(dir / "five", "");
  EXPECT_EQ(read_file(dir / "five"), "");
  EXPECT_EQ(files_in(dir), 1);
}

TEST(File, ReadsFilesThatHaveNoSize) {
  // /proc says 0 bytes for each of its files.
  EXPECT_EQ(read_file("/proc/self/comm").back(), '\n');
}

TEST(File, PiecesAreSeenOnlyAfterCommit) {
  TempDir dir;
  write_file_atomically(dir / "log", "old");
  {
    AtomicFile file(dir / "log");
    file.write("ne");
    file.write("w");
    EXPECT_EQ(read_file(dir / "log"), "old");
    file.commit();
    EXPECT_EQ(read_file(dir / "log"), "new");
  }
  EXPECT_EQ(read_file(dir / "log"), "new");
  EXPECT_EQ(files_in(dir), 1);
}

TEST(File, WithoutCommitNothingIsLeft) {
  TempDir dir;
  write_file_atomically(dir / "log", "old");
  { AtomicFile(dir / "log").write("half"); }
  EXPECT_EQ(read_file(dir / "log"), "old");
  EXPECT_EQ(files_in(dir), 1);
}

TEST(File, WhatAKilledRunLeftStopsNoLaterOne) {
  TempDir dir;
  std::string name;  // the temporary one: log.<process>-<counter>.tmp
  {
    AtomicFile probe(dir / "log");
    name = std::filesystem::directory_iterator(dir.path())->path().filename();
  }
  // Names that this process takes next, as a killed one with its id left them.
  const int counter = std::stoi(name.substr(name.rfind('-') + 1));
  for (int i = 1; i <= 5; i++)
    std::ofstream(dir / text("log.", int(getpid()), "-", counter + i, ".tmp")) << "half";
  write_file_atomically(dir / "log", "new");
  EXPECT_EQ(read_file(dir / "log"), "new");
  EXPECT_EQ(files_in(dir), 6);
}

TEST(File, ASymbolicLinkStaysALink) {
  TempDir dir;
  write_file_atomically(dir / "target", "old");
  std::filesystem::create_symlink("target", dir / "link");
  write_file_atomically(dir / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_EQ(read_file(dir / "target"), "new");
}

TEST(File, ReadingErrors) {
  TempDir dir;
  EXPECT_EQ(message_of([&] { read_file(dir / "none"); }),
            "read_file: expected a file at \"" + dir / "none" +
                "\"; got No such file or directory; check the path");
  EXPECT_EQ(message_of([&] { read_file(dir.path()); }),
            "read_file: expected a file at \"" + dir.path() +
                "\"; got Is a directory; name a file in it");
  write_file_atomically(dir / "file", "x");
  EXPECT_EQ(message_of([&] { read_file(dir / "file/below"); }),
            "read_file: expected a file at \"" + dir / "file/below" +
                "\"; got Not a directory; a part of the path is a file, not a directory");
  std::filesystem::permissions(dir / "file", std::filesystem::perms::none);
  std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  WithoutRoot user;
  EXPECT_EQ(message_of([&] { read_file(dir / "file"); }),
            "read_file: expected a file at \"" + dir / "file" +
                "\"; got Permission denied; ask for the permission, or choose another place");
}

TEST(File, WritingErrors) {
  TempDir dir;
  EXPECT_EQ(message_of([&] { write_file_atomically(dir / "new/file", "x"); }),
            "write_file: expected to write \"" + dir / "new/file" +
                "\"; got No such file or directory; create its directory first");
  EXPECT_EQ(message_of([&] { write_file_atomically(dir.path(), "x"); }),
            "write_file: expected to write \"" + dir.path() +
                "\"; got Is a directory; name a file in it");
  EXPECT_EQ(message_of([&] { write_file_atomically("/dev/null", "x"); }),
            "write_file: expected a regular file at \"/dev/null\"; got a device, pipe or socket; "
            "name a file");
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  WithoutRoot user;
  EXPECT_EQ(message_of([&] { write_file_atomically(dir / "file", "x"); }),
            "write_file: expected to write \"" + dir / "file" +
                "\"; got Permission denied; ask for the permission, or choose another place");
}

TEST(File, AFullDiskLeavesTheOldFile) {
  TempDir dir;
  write_file_atomically(dir / "file", "old");
  {
    FileSizeLimit limit(4096);
    EXPECT_EQ(message_of([&] { write_file_atomically(dir / "file", std::string(5000, 'x')); }),
              "write_file: expected to write \"" + dir / "file" +
                  "\"; got File too large; free some space, or choose another place");
  }
  EXPECT_EQ(read_file(dir / "file"), "old");
  EXPECT_EQ(files_in(dir), 1);
}

}  // namespace
}  // namespace clade
