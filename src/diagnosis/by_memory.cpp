// The kernel's OOM killer and the other limits of a cgroup: whose limit was met, and what to do.

#include <algorithm>

#include "base/units.h"
#include "diagnosis/inquest.h"

namespace poolwarden::diagnosis {
namespace {

std::uint64_t kills(const Evidence& evidence) {
  return std::max(evidence.oom_kills, evidence.memory.oom_kills);
}

std::string peak(const Evidence& evidence) {
  if (evidence.memory_peak == 0) return "";
  return ", with a peak of " + format_bytes(evidence.memory_peak);
}

std::string counted(std::uint64_t count, const std::string& one, const std::string& several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

}  // namespace

bool was_struck_by_oom(const Evidence& evidence) { return evidence.memory.recent_oom_kills > 0; }

bool is_end_of_struck_child(const Exited& end, const Evidence& evidence) {
  constexpr int kKilled = 128 + 9;
  return end.code == kKilled && was_struck_by_oom(evidence);
}

Reading read_oom(const Evidence& evidence) {
  const std::string struck = "was killed by the kernel's OOM killer ";
  const std::string all = evidence.memory.group_kills > 0 ? ", and all of its cgroup with it" : "";
  switch (evidence.memory.scope) {
    case OomScope::OwnLimit:
      return {Detail::OwnMemoryLimit,
              struck + "at its own limit (limits.memory)" + peak(evidence) + all,
              "Raise limits.memory, or find the leak; recycle.over_memory replaces a worker before "
              "it comes to this."};
    case OomScope::Container:
      return {
          Detail::ContainerMemoryLimit,
          struck + "because the container or the machine had no memory left" + peak(evidence) + all,
          "Raise the container's memory limit, or let limits.memory of all pools together stay "
          "below it; it need not be this worker that uses too much."};
    case OomScope::None:
    case OomScope::Unknown:
      break;
  }
  return {Detail::None,
          struck +
              "at its own limit, the container's or the machine's: which one could not be "
              "told" +
              peak(evidence) + all,
          "Raise limits.memory or the container's limit, or find the leak; recycle.over_memory "
          "replaces a worker before it comes to this."};
}

std::string aside(const Inquest& inquest, const Diagnosis& told) {
  const Evidence& evidence = inquest.evidence;
  std::string text;
  if (kills(evidence) > 0 && told.cause != Cause::OomKilled) {
    // Two had sent it a SIGKILL, and nobody knows whose came first.
    const bool may_be_itself = was_struck_by_oom(evidence) && inquest.circumstances.kill_sent;
    text += "; the kernel's OOM killer had struck " +
            (may_be_itself ? counted(kills(evidence), "process", "processes")
                           : counted(kills(evidence), "other process", "other processes")) +
            " of its tree";
  }
  if (evidence.pids_limit_hits > 0 && told.detail != Detail::PidsLimit) {
    text += "; limits.pids had refused it " +
            counted(evidence.pids_limit_hits, "new process or thread", "new processes or threads");
  }
  if (!evidence.protocol_breach.empty() && told.cause != Cause::ProtocolError)
    text +=
        "; it had answered with something that is no HTTP: \"" + evidence.protocol_breach + "\"";
  if (evidence.was_cgroup_removed)
    text +=
        "; its cgroup had been removed under it, so that no limit held it and nothing counted "
        "what it used, nor OOM kills";
  if (!evidence.left_behind.empty() && told.detail != Detail::Daemonized) {
    const std::size_t count = evidence.left_behind.size();
    text += "; " + counted(count, "process of its tree lived on and was ended",
                           "processes of its tree lived on and were ended");
  }
  return text;
}

}  // namespace poolwarden::diagnosis
