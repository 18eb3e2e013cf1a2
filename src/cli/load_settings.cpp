#include "cli/load_settings.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

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

Result<std::string> read_file(const std::string& name) {
  const std::string what = "cannot read " + name;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(name.c_str(), "re"));
  if (!file) return errno_error(errno, what);
  std::string text(kMostBytes, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return errno_error(errno, what);
  return text;
}

}  // namespace

Result<LoadedSettings> load_settings(const std::optional<std::string>& file) {
  const Result<std::string> name = find_file(file);
  if (!name) return name.error();
  const Result<std::string> text = read_file(*name);
  if (!text) return text.error();
  return LoadedSettings{*name, config::parse_settings(*text)};
}

void print_findings(const LoadedSettings& loaded) {
  for (const config::Finding& finding : loaded.parsed.findings) {
    std::fprintf(stderr, "%s\n", config::describe(finding, loaded.file_name).c_str());
  }
}

}  // namespace poolwarden::cli
