// The program as a person runs it: a command line in, exit code, stdout and stderr out.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tensor/file.h"

namespace clade::apps {

struct Ran {
  int code = -1;
  std::string out, err;

  // stderr is one line, or none.
  bool one_line() const { return err.find('\n') + 1 == err.size(); }
};

// A folder of its own, in which the program runs; removed in the end.
class Workplace {
 public:
  Workplace() {
    char name[] = "/tmp/clade-test-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Workplace() { std::filesystem::remove_all(folder_); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  std::string path(const std::string& file) const { return folder_ + "/" + file; }
  void write(const std::string& file, std::string_view content) const {
    write_file_atomically(path(file), content);
  }
  std::string read(const std::string& file) const { return read_file(path(file)); }
  bool has(const std::string& file) const { return std::filesystem::exists(path(file)); }

  // `shell` goes around the program, e.g. "timeout -s INT 1 ".
  Ran run(const std::string& arguments, const std::string& shell = "") const {
    const std::string command = "cd " + folder_ + " && " + shell + CLADE_PROGRAM " " + arguments +
                                " >.stdout 2>.stderr </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(".stdout"),
            read(".stderr")};
  }

 private:
  std::string folder_;
};

}  // namespace clade::apps
