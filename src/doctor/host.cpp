#include "doctor/host.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "cgroup/kernel_files.h"

namespace poolwarden::doctor {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

// Of "0::/system.slice/app.service/…": a unit that runs a service.
bool is_in_service(const std::string& cgroup) {
  return cgroup.find(".service") != std::string::npos;
}

std::string joined(const std::string& before, const std::string& text) {
  if (text.empty()) return before;
  return before.empty() ? text : before + "; " + text;
}

std::string in_words(const char* where, const std::string& what) {
  return what.empty() ? "" : where + what;
}

constexpr std::string_view kInDocker = "in Docker, ";
constexpr std::string_view kInKubernetes = "in Kubernetes, ";
constexpr std::string_view kUnderSystemd = "under systemd, ";
constexpr std::string_view kElsewhere = "elsewhere, ";

// The part of "in Docker, …; in Kubernetes, …" that begins so; empty when there is none.
std::string part_of(const std::string& cures, std::string_view begins) {
  const auto at = cures.find(begins);
  if (at == std::string::npos) return "";
  const auto from = at + begins.size();
  return cures.substr(from, cures.find("; ", from) - from);
}

std::string_view words_for(const Host& host) {
  switch (host.kind) {
    case HostKind::Docker:
    case HostKind::Podman:
      return kInDocker;
    case HostKind::Kubernetes:
      return kInKubernetes;
    case HostKind::Systemd:
      return kUnderSystemd;
    case HostKind::OtherContainer:
    case HostKind::Plain:
      break;
  }
  return kElsewhere;
}

// Where the first cure begins, behind "; " or ": "; npos when there is none.
std::size_t begin_of_cures(const std::string& sentence) {
  std::size_t first = std::string::npos;
  for (const std::string_view words : {kInDocker, kInKubernetes, kUnderSystemd, kElsewhere}) {
    const auto at = sentence.find(words);
    if (at != std::string::npos && at >= 2 && sentence[at - 1] == ' ' &&
        (sentence[at - 2] == ';' || sentence[at - 2] == ':'))
      first = std::min(first, at);
  }
  return first;
}

}  // namespace

HostSigns read_host_signs() {
  HostSigns signs;
  signs.has_dockerenv = exists("/.dockerenv");
  signs.has_containerenv = exists("/run/.containerenv");
  signs.has_service_account = exists("/var/run/secrets/kubernetes.io");
  signs.kubernetes_service = variable("KUBERNETES_SERVICE_HOST");
  signs.container = variable("container");
  signs.invocation = variable("INVOCATION_ID");
  signs.cgroup = cgroup::read_text("/proc/self/cgroup").value_or("");
  return signs;
}

Host tell_host(const HostSigns& signs) {
  // Kubernetes' containers are made by an engine that may leave its own signs too.
  if (signs.has_service_account) return {HostKind::Kubernetes, "/var/run/secrets/kubernetes.io"};
  if (!signs.kubernetes_service.empty()) return {HostKind::Kubernetes, "$KUBERNETES_SERVICE_HOST"};
  if (signs.has_dockerenv) return {HostKind::Docker, "/.dockerenv"};
  if (signs.has_containerenv) return {HostKind::Podman, "/run/.containerenv"};
  if (signs.container == "podman") return {HostKind::Podman, "$container"};
  if (!signs.container.empty())
    return {HostKind::OtherContainer, "$container is " + signs.container};
  if (!signs.invocation.empty() && is_in_service(signs.cgroup))
    return {HostKind::Systemd, "$INVOCATION_ID"};
  return {};
}

std::string describe(const Host& host) {
  const std::string evidence = host.evidence.empty() ? "" : " (" + host.evidence + ")";
  switch (host.kind) {
    case HostKind::Docker:
      return "a Docker container" + evidence;
    case HostKind::Podman:
      return "a Podman container" + evidence;
    case HostKind::Kubernetes:
      return "a Kubernetes container" + evidence;
    case HostKind::OtherContainer:
      return "a container" + evidence;
    case HostKind::Systemd:
      return "a service of systemd" + evidence;
    case HostKind::Plain:
      return "no container that is known";
  }
  return "";
}

std::string cure(const cgroup::Cure& cures, const Host& host) {
  std::string docker = in_words("start the container with ", cures.docker);
  std::string kubernetes = in_words("in the container's securityContext: ", cures.kubernetes);
  std::string systemd = in_words("in the unit: ", cures.systemd);
  switch (host.kind) {
    case HostKind::Docker:
    case HostKind::Podman:
      return docker;
    case HostKind::Kubernetes:
      return kubernetes;
    case HostKind::Systemd:
      return systemd;
    case HostKind::OtherContainer:
    case HostKind::Plain:
      break;
  }
  if (!cures.machine.empty()) return cures.machine;
  return joined(
      joined(in_words("Docker: ", cures.docker), in_words("Kubernetes: ", cures.kubernetes)),
      in_words("systemd: ", cures.systemd));
}

TakenApart take_apart(const std::string& sentence, const Host& host) {
  const auto at = begin_of_cures(sentence);
  if (at == std::string::npos) return {sentence, ""};
  const std::string cures = sentence.substr(at);
  const std::string part = part_of(cures, words_for(host));
  return {sentence.substr(0, at - 2), part.empty() ? cures : part};
}

}  // namespace poolwarden::doctor
