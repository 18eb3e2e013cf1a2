// What this process runs in, by evidence: Docker, Podman, Kubernetes, a service of systemd, or a
// plain machine. So that cures name the flag that helps here.

#pragma once

#include <string>

#include "cgroup/cures.h"

namespace poolwarden::doctor {

enum class HostKind { Docker, Podman, Kubernetes, OtherContainer, Systemd, Plain };

// What was found; nothing of it is proof by itself.
struct HostSigns {
  bool has_dockerenv = false;        // /.dockerenv, made by Docker
  bool has_containerenv = false;     // /run/.containerenv, made by Podman
  bool has_service_account = false;  // /var/run/secrets/kubernetes.io
  std::string kubernetes_service;    // $KUBERNETES_SERVICE_HOST
  std::string container;             // $container, of the container interface of systemd
  std::string invocation;            // $INVOCATION_ID, of systemd.exec(5)
  std::string cgroup;                // /proc/self/cgroup
};
HostSigns read_host_signs();

struct Host {
  HostKind kind = HostKind::Plain;
  std::string evidence;  // "/.dockerenv"; empty for a plain machine
};
Host tell_host(const HostSigns& signs);

std::string describe(const Host& host);  // "a Docker container (/.dockerenv)"

// The one of the cures that helps on this host; on one that is not known, all of them.
std::string cure(const cgroup::Cure& cures, const Host& host);

// What poolwarden says in one sentence, "what; in Docker, …; in Kubernetes, …; under systemd,
// …; elsewhere, …", taken apart: the cure is the part for this host, or all of them.
struct TakenApart {
  std::string what, cure;
};
TakenApart take_apart(const std::string& sentence, const Host& host);

}  // namespace poolwarden::doctor
