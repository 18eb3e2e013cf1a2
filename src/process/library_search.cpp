#include "process/library_search.h"

#include <elf.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "base/clean_text.h"
#include "process/elf_file.h"
#include "process/program_file.h"

namespace poolwarden::process {
namespace {

using diagnosis::LoaderFinding;

constexpr std::size_t kMostObjects = 512;
constexpr std::size_t kMostFindings = 32;
constexpr int kDeepestInclude = 4;
constexpr std::size_t kLongestPath = 512;

#if defined(__x86_64__)
constexpr const char* kTriplet = "x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr const char* kTriplet = "aarch64-linux-gnu";
#else
constexpr const char* kTriplet = "";
#endif

void read_configuration(const std::string& path, int depth, std::vector<std::string>& found) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string first, pattern;
    words >> first;
    if (first.starts_with('/')) found.push_back(first);
    if (first != "include" || !(words >> pattern) || depth >= kDeepestInclude) continue;
    glob_t matches{};
    if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
      for (std::size_t i = 0; i < matches.gl_pathc; ++i)
        read_configuration(matches.gl_pathv[i], depth + 1, found);
    }
    ::globfree(&matches);
  }
}

std::string directory_of(const std::string& path) {
  char real[PATH_MAX];
  const std::string whole = ::realpath(path.c_str(), real) ? real : path;
  return whole.substr(0, whole.rfind('/'));
}

// Empty when it has a variable that is not known here.
std::string expanded(std::string directory, const std::string& origin) {
  for (const std::string name : {"$ORIGIN", "${ORIGIN}"}) {
    for (std::size_t at = 0; (at = directory.find(name, at)) != std::string::npos;)
      directory.replace(at, name.size(), origin);
  }
  return directory.find('$') == std::string::npos ? directory : std::string();
}

std::string cleaned(std::string_view text) { return escaped(text.substr(0, kLongestPath)); }

// The same of an entry of a path: an empty one is the directory that the program starts in.
std::string searched(const std::string& directory, const std::string& origin) {
  return directory.empty() ? "." : expanded(directory, origin);
}

struct Object {
  std::string path;
  ElfFile file;
  std::vector<std::string> inherited;  // DT_RPATH of those that brought it, expanded
};

class Search {
 public:
  explicit Search(const LibrarySearch& asked)
      : library_path_(split_path(asked.library_path, ":;")),
        directory_(asked.directory),
        system_(asked.system_directories.empty() ? system_library_directories()
                                                 : asked.system_directories) {}

  std::vector<LoaderFinding> run(const std::string& program) {
    auto file = read_elf(program);
    if (!file) return {};
    const ElfHeader wanted = file->header;
    if (const auto own = read_elf("/proc/self/exe"); own && !fit(wanted, own->header))
      return {{program, "", program, machine_name(wanted)}};
    to_do_.push_back({program, std::move(*file), {}});
    while (!to_do_.empty() && findings_.size() < kMostFindings) {
      const Object object = std::move(to_do_.front());
      to_do_.pop_front();
      for (const std::string& name : object.file.needed)
        if (seen_.size() < kMostObjects && seen_.insert(name).second)
          look_for(name, object, wanted);
    }
    return std::move(findings_);
  }

 private:
  void look_for(const std::string& name, const Object& by, const ElfHeader& wanted) {
    LoaderFinding finding{by.path, name, "", ""};
    const std::vector<std::string> handed_on = rpaths(by);
    for (const std::string& path : candidates(name, by, handed_on)) {
      auto file = read_elf(path);
      if (!file) continue;
      if (fit(file->header, wanted)) {
        to_do_.push_back({path, std::move(*file), handed_on});
        return;
      }
      finding.found = path;
      finding.machine = machine_name(file->header);
    }
    findings_.push_back(std::move(finding));
  }

  // DT_RPATH counts for what a library brings in turn, and not at all beside DT_RUNPATH.
  static std::vector<std::string> rpaths(const Object& object) {
    if (!object.file.runpath.empty()) return {};
    std::vector<std::string> all;
    const std::string origin = directory_of(object.path);
    for (const std::string& each : object.file.rpath) all.push_back(searched(each, origin));
    all.insert(all.end(), object.inherited.begin(), object.inherited.end());
    return all;
  }

  std::vector<std::string> candidates(const std::string& name, const Object& by,
                                      const std::vector<std::string>& handed_on) const {
    if (name.find('/') != std::string::npos) return {absolute_path(name, directory_)};
    const std::string origin = directory_of(by.path);
    std::vector<std::string> found;
    const auto add = [&](const std::string& directory) {
      if (!directory.empty()) found.push_back(absolute_path(directory + "/" + name, directory_));
    };
    for (const std::string& each : handed_on) add(each);
    for (const std::string& each : library_path_) add(searched(each, origin));
    for (const std::string& each : by.file.runpath) add(searched(each, origin));
    for (const std::string& each : system_) add(each);
    return found;
  }

  std::vector<std::string> library_path_;
  std::string directory_;
  std::vector<std::string> system_;
  std::deque<Object> to_do_;
  std::set<std::string> seen_;
  std::vector<LoaderFinding> findings_;
};

}  // namespace

std::vector<std::string> system_library_directories() {
  std::vector<std::string> found;
  read_configuration("/etc/ld.so.conf", 0, found);
  if (*kTriplet) {
    for (const std::string root : {"/lib/", "/usr/lib/"}) found.push_back(root + kTriplet);
  }
  for (const char* each : {"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"})
    found.emplace_back(each);
  return found;
}

std::vector<LoaderFinding> search_libraries(const LibrarySearch& search) {
  return Search(search).run(search.program);
}

// No text of theirs spans lines.
std::vector<LoaderFinding> read_loader_complaint(std::string_view output) {
  constexpr std::string_view kGlibc = ": error while loading shared libraries: ";
  constexpr std::string_view kMusl = "Error loading shared library ", kMuslObject = "(needed by ";
  while (!output.empty()) {
    const std::string_view line = output.substr(0, output.find('\n'));
    output.remove_prefix(std::min(output.size(), line.size() + 1));
    if (const auto at = line.find(kGlibc); at != std::string_view::npos) {
      const std::string_view needed = line.substr(at + kGlibc.size());
      return {{cleaned(line.substr(0, at)), cleaned(needed.substr(0, needed.find(':'))), "", ""}};
    }
    const auto object = line.find(kMuslObject);
    if (!line.starts_with(kMusl) || object == std::string_view::npos) continue;
    const std::string_view needed = line.substr(kMusl.size());
    const std::string_view name = line.substr(object + kMuslObject.size());
    return {{cleaned(name.substr(0, name.find(')'))), cleaned(needed.substr(0, needed.find(':'))),
             "", ""}};
  }
  return {};
}

}  // namespace poolwarden::process
