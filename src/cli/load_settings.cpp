#include "cli/load_settings.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/sha256.h"
#include "loop/unique_fd.h"

namespace poolwarden::cli {
namespace {

constexpr const char* kHere = "poolwarden.yaml";
constexpr const char* kSystem = "/etc/poolwarden/poolwarden.yaml";
// One byte more than the parser takes, so that it is the one to say what is too much.
constexpr std::size_t kMostBytes = 1024 * 1024 + 1;

Result<std::string> find_file(const std::optional<std::string>& file) {
  if (file) return *file;
  for (const char* name : {kHere, kSystem}) {
    std::error_code ignored;
    if (std::filesystem::exists(name, ignored)) return std::string(name);
  }
  // Not one expression: g++ 12 sees an overflow in it that is not there.
  std::string message = "cannot find a configuration: there is neither ./";
  message.append(kHere).append(" nor ").append(kSystem);
  return failure(message + "; name the file, or try `poolwarden demo`");
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string cannot_read(const std::string& name) { return "cannot read " + name; }

// Nothing is waited for here: opening a pipe that nobody writes to would last for ever.
Result<File> open_regular(const std::string& name) {
  loop::UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (fd.get() < 0 || ::fstat(fd.get(), &about) != 0) return errno_error(errno, cannot_read(name));
  if (!S_ISREG(about.st_mode)) {
    return failure(cannot_read(name) + ": it is not a regular file, which alone can be read again");
  }
  File file(::fdopen(fd.get(), "r"));
  if (!file) return errno_error(errno, cannot_read(name));
  fd.release();
  return file;
}

Result<File> open_any(const std::string& name) {
  File file(std::fopen(name.c_str(), "re"));
  if (!file) return errno_error(errno, cannot_read(name));
  return file;
}

Result<LoadedSettings> read(const std::string& name, Result<File> file) {
  if (!file) return file.error();
  std::string text(kMostBytes, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file->get()));
  if (std::ferror(file->get()) != 0) return errno_error(errno, cannot_read(name));
  return LoadedSettings{name, sha256(text), config::parse_settings(text)};
}

}  // namespace

Result<LoadedSettings> load_settings(const std::optional<std::string>& file) {
  const Result<std::string> name = find_file(file);
  if (!name) return name.error();
  return read(*name, open_any(*name));
}

Result<LoadedSettings> reload_settings(const std::string& file) {
  return read(file, open_regular(file));
}

void print_findings(const LoadedSettings& loaded) {
  for (const config::Finding& finding : loaded.parsed.findings) {
    std::fprintf(stderr, "%s\n", config::describe(finding, loaded.file_name).c_str());
  }
}

}  // namespace poolwarden::cli
