#include "cgroup/memory_notice.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

// The threshold of memory.txt (cgroup-v1), 9.
Result<loop::UniqueFd> mark_usage(const Group& group, std::uint64_t bytes) {
  loop::UniqueFd notice(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!notice) return errno_error(errno, "cannot make an eventfd");
  const std::string path = group.path + "/memory.usage_in_bytes";
  const loop::UniqueFd usage(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!usage) return errno_error(errno, "cannot open " + path);
  const auto written = write_text(group.path + "/cgroup.event_control",
                                  std::to_string(notice.get()) + " " + std::to_string(usage.get()) +
                                      " " + std::to_string(bytes));
  if (!written) return written.error();
  return notice;
}

bool is_bounded(const Group& group) {
  return read_count(group.path + "/memory.max") || read_count(group.path + "/memory.high");
}

Result<loop::UniqueFd> follow_events(const Group& group) {
  if (!is_bounded(group))
    return failure("cannot be told of memory: cgroup v2 tells only of limits, and there is none");
  loop::UniqueFd notice(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!notice) return errno_error(errno, "cannot use inotify");
  const std::string path = group.path + "/memory.events";
  if (::inotify_add_watch(notice.get(), path.c_str(), IN_MODIFY) < 0)
    return errno_error(errno, "cannot watch " + path);
  return notice;
}

}  // namespace

Result<loop::UniqueFd> open_memory_notice(const std::vector<Group>& groups, std::uint64_t bytes) {
  const Group* memory = having(groups, "memory");
  if (!memory) return failure("cannot be told of memory: no cgroup has the memory controller");
  return memory->unified ? follow_events(*memory) : mark_usage(*memory, bytes);
}

}  // namespace poolwarden::cgroup
