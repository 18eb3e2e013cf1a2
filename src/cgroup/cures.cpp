#include "cgroup/cures.h"

namespace poolwarden::cgroup {
namespace {

// The container's own cgroup, where it is on the machine, and the right to write in it.
const char* const kShown = "--cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw";
const char* const kDelegated = "Delegate=yes";

// systemd gives what it delegates to User=, but nothing of v1 to anyone other than root.
std::string service(bool unified, bool is_root) {
  return unified || is_root ? kDelegated : std::string(kDelegated) + " and User=root";
}

void append(std::string& text, const std::string& where, const std::string& flags) {
  if (!flags.empty()) text += "; " + where + flags;
}

}  // namespace

Obstacle obstacle_of(const std::error_code& error) {
  if (error == std::errc::read_only_file_system) return Obstacle::ReadOnly;
  const bool denied =
      error == std::errc::permission_denied || error == std::errc::operation_not_permitted;
  return denied ? Obstacle::NotPermitted : Obstacle::Other;
}

Cure cure_of(Obstacle obstacle, bool unified, unsigned uid) {
  const bool is_root = uid == 0;
  const std::string docker = std::string(is_root ? "" : "--user 0 ") + kShown;
  const std::string kubernetes =
      std::string(is_root ? "" : "runAsUser: 0 and ") + "privileged: true";
  switch (obstacle) {
    case Obstacle::NotMounted:
      return {docker, kubernetes, "", "mount a cgroup file system at /sys/fs/cgroup"};
    case Obstacle::NoController:
      return {"", "", kDelegated,
              unified ? "enable it in cgroup.subtree_control of the cgroups above"
                      : "boot the machine with its controller enabled (cgroup_enable=memory for "
                        "memory)"};
    case Obstacle::ReadOnly:
    case Obstacle::NotPermitted:
    case Obstacle::Other:
      break;
  }
  return {docker, kubernetes, service(unified, is_root), is_root ? "" : "start poolwarden as root"};
}

std::string describe(const Cure& cure) {
  std::string text;
  append(text, "in Docker, start the container with ",
         cure.docker.empty() ? "" : cure.docker + " or with --privileged");
  append(text, "in Kubernetes, with ", cure.kubernetes);
  append(text, "under systemd, with ", cure.systemd);
  append(text, "elsewhere, ", cure.machine);
  return text;
}

}  // namespace poolwarden::cgroup
