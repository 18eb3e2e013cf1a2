#include "doctor/library_checks.h"

#include <elf.h>
#include <sys/utsname.h>

#include "doctor/path_checks.h"
#include "process/elf_file.h"
#include "process/library_search.h"

namespace poolwarden::doctor {
namespace {

using diagnosis::LoaderFinding;

std::string this_machine() {
  utsname about{};
  return ::uname(&about) == 0 ? about.machine : "another";
}

Check other_machine(const std::string& subject, const LoaderFinding& finding) {
  return problem(subject, finding.found + " was made for " + finding.machine,
                 "this machine is " + this_machine(),
                 "install the build for " + this_machine() +
                     "; of an image, the one with --platform of this machine");
}

Check library_trouble(const LoaderFinding& finding) {
  if (!finding.found.empty())
    return problem(
        "libraries", finding.needed + " fits no program of this machine",
        finding.found + " was made for " + finding.machine + "; needed by " + finding.object,
        "install the library for " + this_machine());
  return problem("libraries", finding.needed + " is not found", "needed by " + finding.object,
                 "install the package that has it, or add its directory to /etc/ld.so.conf.d and "
                 "run ldconfig, or set LD_LIBRARY_PATH in the pool's environment");
}

Check loader_missing(const std::string& path, const std::string& loader) {
  return problem("libraries", "the loader " + loader + " does not exist",
                 path +
                     " was built for another C library, such as musl's of Alpine or glibc's of "
                     "Debian",
                 "install the build for this system");
}

}  // namespace

Checks check_elf(const std::string& subject, const std::string& path,
                 const std::map<std::string, std::string>& environment,
                 const std::string& directory) {
  const auto file = process::read_elf(path);
  if (!file)
    return {problem(subject, path + " is damaged", file.error().message, "install it again")};
  if (file->header.type != ET_EXEC && file->header.type != ET_DYN)
    return {problem(subject, path + " is no program", "it is an ELF file of another kind",
                    "link it into a program, or correct `command`")};
  const auto library_path = environment.find("LD_LIBRARY_PATH");
  const auto findings = process::search_libraries(
      {path, library_path == environment.end() ? "" : library_path->second, directory});
  for (const LoaderFinding& finding : findings)
    if (finding.needed.empty()) return {other_machine(subject, finding)};
  Checks checks = {ok(subject, path)};
  if (file->interpreter.empty()) return checks;  // a static one
  if (way_blocked("libraries", file->interpreter) ||
      describe_permissions(file->interpreter).empty())
    checks.push_back(loader_missing(path, file->interpreter));
  for (const LoaderFinding& finding : findings) checks.push_back(library_trouble(finding));
  if (checks.size() == 1) checks.push_back(ok("libraries", "all are found"));
  return checks;
}

}  // namespace poolwarden::doctor
