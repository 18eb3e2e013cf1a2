#include "doctor/as_worker.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>

#include "doctor/report.h"
#include "loop/pipe.h"
#include "process/child.h"

namespace poolwarden::doctor {
namespace {

// Until its other end is closed everywhere.
std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

bool write_all(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(fd, text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) at += static_cast<std::size_t>(count);
  }
  return true;
}

// In the child, above which there is a copy of the parent's stack: nothing may be thrown into it.
int tell(const std::function<Checks()>& look) noexcept {
  try {
    return write_all(STDOUT_FILENO, boost::json::serialize(to_json(look()))) ? 0 : 1;
  } catch (...) {
    return 1;
  }
}

Error failed_step(const std::string& report, const process::LaunchPlan& plan) {
  process::ChildReport failed;
  std::memcpy(&failed, report.data(), sizeof failed);
  return errno_error(failed.error, process::subject_of(failed.step, plan));
}

Result<Checks> told(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(text, error);
  if (error || !parsed.is_array()) return failure("cannot look as the worker: the child ended");
  return checks_from_json(parsed.get_array());
}

}  // namespace

Result<Checks> as_worker(process::LaunchPlan plan, const std::function<Checks()>& look) {
  auto report = loop::make_pipe();
  if (!report) return report.error();
  auto findings = loop::make_pipe();
  if (!findings) return findings.error();
  plan.directory.reset();
  plan.descriptors = {{findings->writing.get(), STDOUT_FILENO}};
  plan.task = [&look] { return tell(look); };
  process::ChildImage child(plan, report->writing.get());
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error(errno, "cannot fork");
  if (pid == 0) child.run(false);
  report->writing.reset();
  findings->writing.reset();
  const std::string failed = read_all(report->reading.get());
  const std::string text = read_all(findings->reading.get());
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (failed.size() == sizeof(process::ChildReport)) return failed_step(failed, plan);
  return told(text);
}

}  // namespace poolwarden::doctor
