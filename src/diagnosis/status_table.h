// What exit codes, signals and Windows' codes mean: the table behind `poolwarden explain`.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::diagnosis {

struct Explanation {
  std::string
      title;  // "exit code 139", "SIGSEGV (signal 11)", "0xc0000005, STATUS_ACCESS_VIOLATION"
  std::string meaning;
  std::vector<std::string> causes;  // the usual ones, likeliest first
  std::string next_step;
  std::string linux_analogue;  // of a Windows code: what it looks like here; else empty
  std::string diagnosis;       // name(Cause) of such an end; empty where it takes more to tell
};

// All that `code` may stand for, likeliest first. It is an exit code or signal number ("139"), a
// name ("SIGSEGV", "segv", "RTMIN+3", "EX_CONFIG", "STATUS_ACCESS_VIOLATION"; in any case of
// letters), a code of Windows ("0xc0000005", "3221225477"), or a negative number as languages print
// it ("-1", "-11"). Empty: it is none of these.
// Sources: exit(3), wait(2), signal(7), sysexits.h, systemd.exec(5), POSIX's shell language 2.8.2,
// the manuals of the programs that are named, and the Windows codes of research/was.md 3.
std::vector<Explanation> explain(std::string_view code);

}  // namespace poolwarden::diagnosis
