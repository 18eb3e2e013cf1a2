// What grants a cgroup that cannot be had: the flags of Docker, Kubernetes and systemd, by what is
// in the way, the version of cgroups and the user who asks.

#pragma once

#include <string>
#include <system_error>

namespace poolwarden::cgroup {

enum class Obstacle {
  NotMounted,    // no cgroup file system is to be seen
  ReadOnly,      // as engines mount it by default
  NotPermitted,  // it belongs to another user
  NoController,  // a cgroup can be made, but nobody has handed this controller down to it
  Other,
};

// By the error of making a directory in it.
Obstacle obstacle_of(const std::error_code& error);

// In the words of each, as in "--user 0"; empty: there is no such way.
struct Cure {
  std::string docker, kubernetes, systemd, machine;
};

Cure cure_of(Obstacle obstacle, bool unified, unsigned uid);

// "; in Docker, start the container with …; in Kubernetes, with …; under systemd, with …"
std::string describe(const Cure& cure);

}  // namespace poolwarden::cgroup
