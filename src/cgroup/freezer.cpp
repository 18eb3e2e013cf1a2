#include "cgroup/freezer.h"

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {

Result<void> freeze(const std::vector<Group>& groups) {
  Error why{std::make_error_code(std::errc::not_supported),
            "cannot freeze a cgroup: neither cgroup v2 nor the freezer controller of v1 can be "
            "written here"};
  for (const Group& group : groups) {
    Result<void> frozen;
    if (group.unified) {
      frozen = write_text(group.path + "/cgroup.freeze", "1");
    } else if (group.has("freezer")) {
      frozen = write_text(group.path + "/freezer.state", "FROZEN");
    } else {
      continue;
    }
    if (frozen) return {};
    why = frozen.error().because("cannot freeze a cgroup");
  }
  return why;
}

void thaw(const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    if (group.unified) (void)write_text(group.path + "/cgroup.freeze", "0");
    if (group.has("freezer")) (void)write_text(group.path + "/freezer.state", "THAWED");
  }
}

}  // namespace poolwarden::cgroup
