#include "pool/was_number.h"

#include <cerrno>

namespace poolwarden::pool {
namespace {

using diagnosis::Cause;
using diagnosis::Certificate;
using diagnosis::Detail;
using diagnosis::NotStarted;
using diagnosis::SpawnStage;

const Certificate* certificate_of(const Event& event) {
  const auto* exit = std::get_if<ExitDetails>(&event.details);
  return exit ? exit->certificate.get() : nullptr;
}

const NotStarted* failed_step(const Event& event) {
  const Certificate* certificate = certificate_of(event);
  return certificate ? std::get_if<NotStarted>(&certificate->evidence.status) : nullptr;
}

template <RecycleReason... reasons>
bool is_recycle(const Event& event) {
  const auto* recycle = std::get_if<RecycleDetails>(&event.details);
  return recycle && ((recycle->reason == reasons) || ...);
}

template <SpawnStage stage>
bool failed_at(const Event& event) {
  const NotStarted* step = failed_step(event);
  return step && step->stage == stage;
}

template <Cause cause>
bool died_of(const Event& event) {
  const Certificate* certificate = certificate_of(event);
  return certificate && certificate->diagnosis.cause == cause;
}

template <Detail... details>
bool has_detail(const Event& event) {
  const Certificate* certificate = certificate_of(event);
  return certificate && ((certificate->diagnosis.detail == details) || ...);
}

bool failed_at_affinity(const Event& event) {
  const NotStarted* step = failed_step(event);
  return step && step->stage == SpawnStage::Limits &&
         step->what.find("affinity") != std::string::npos;
}

// The process was made, but could not be watched.
bool was_lost_sight_of(const Event& event) {
  const NotStarted* step = failed_step(event);
  return step && step->stage == SpawnStage::Clone && step->what.starts_with("cannot watch");
}

bool ran(const Event& event) { return certificate_of(event) && !failed_step(event); }

bool is_no_ping(const Event& event) {
  const auto* it = std::get_if<AilmentDetails>(&event.details);
  return it && it->ailment != Ailment::Ping;
}

bool is_shortened(const Event& event) {
  const auto* it = std::get_if<IdleDetails>(&event.details);
  return it && it->shortened;
}

bool is_aggressive(const Event& event) {
  const auto* it = std::get_if<ShorteningDetails>(&event.details);
  return it && it->aggressive;
}

bool is_of_orphans(const Event& event) {
  const auto* it = std::get_if<HookDetails>(&event.details);
  return it && it->hook == "orphan.action";
}

bool blames_identity(const Event& event) {
  const auto* it = std::get_if<DisabledDetails>(&event.details);
  return it && it->reason == DisabledReason::Identity;
}

using enum EventKind;
using enum Level;
using enum RecycleReason;

constexpr WasNumber kNumbers[] = {
    {PoolStartFailure, 5057, Error, "the pool's identity does not exist, or may not be taken on",
     blames_identity},

    {WorkerExited, 5127, Warning, "it broke the protocol", died_of<Cause::ProtocolError>},

    {WorkerStartFailed, 5167, Warning, "its process was made and could not be watched",
     was_lost_sight_of},
    {WorkerStartFailed, 5028, Warning, "it could not enter its cgroup",
     failed_at<SpawnStage::Cgroup>},
    {WorkerStartFailed, 5021, Warning, "its identity does not exist, or may not be taken on",
     failed_at<SpawnStage::Identity>},
    {WorkerStartFailed, 5058, Warning, "limits.affinity names no CPU that it may use",
     failed_at_affinity},
    {WorkerStartFailed, 2282, Warning, "its program or a library is for another architecture",
     has_detail<Detail::WrongArchitecture>},
    {WorkerStartFailed, 2294, Warning, "the interpreter or loader of its program is missing",
     has_detail<Detail::MissingInterpreter>},
    {WorkerStartFailed, 2280, Warning, "its loader could not load a shared library",
     died_of<Cause::LoaderFailed>},
    {WorkerStartFailed, 2269, Warning, "the address where it was to listen was taken",
     died_of<Cause::PortInUse>},
    {WorkerStartFailed, 2281, Warning, "with ready: notify, READY=1 never came",
     has_detail<Detail::NeverNotified>},
    {WorkerStartFailed, 2279, Warning, "with connect: inherit, it never served its socket",
     has_detail<Detail::SocketNotTaken>},
    {WorkerStartFailed, 2278, Warning, "it ran, but its socket never answered",
     has_detail<Detail::SocketSilent>},
    {WorkerStartFailed, 2277, Warning, "a library or module that it loads while it runs is missing",
     [](const Event& event) {
       return ran(event) &&
              has_detail<Detail::MissingLibrary, Detail::MissingSymbol, Detail::MissingModule>(
                  event);
     }},
    {WorkerStartFailed, 2276, Warning, "it ended before it was ready, for another reason", ran},

    {WorkerRecycling, 5075, Info, "for its requests", is_recycle<Requests>},
    {WorkerRecycling, 5076, Info, "by its schedule", is_recycle<Schedule>},
    {WorkerRecycling, 5077, Warning, "for its memory", is_recycle<Memory>},
    {WorkerRecycling, 5117, Warning, "for its private memory", is_recycle<PrivateMemory>},
    {WorkerRecycling, 5025, Warning, "for its CPU time", is_recycle<Cpu>},
    {WorkerRecycling, 5078, Warning, "it is unhealthy, or says so",
     is_recycle<Unhealthy, WorkerRequest>},
    {WorkerRecycling, 5079, Info, "on demand", is_recycle<Manual>},
    {WorkerRecycling, 5080, Info, "its configuration or a watched file has changed",
     is_recycle<ConfigChange, FileChange>},
    {WorkerRecycling, 0, Warning, "the queue of its pool is full", is_recycle<QueueLimit>},

    {WorkerUnhealthy, 0, Warning, "for its requests, not its pings", is_no_ping},
    {WorkerIdle, 5195, Info, "sooner, for memory is short", is_shortened},
    {IdleShortened, 5193, Warning, "to an eighth of idle.after or less", is_aggressive},
    {HookFailed, 5015, Error, "it was orphan.action", is_of_orphans},
};

}  // namespace

std::span<const WasNumber> was_numbers() { return kNumbers; }

int was_number(const Event& event) {
  for (const WasNumber& row : kNumbers) {
    if (row.kind == event.kind && row.applies(event)) return row.number;
  }
  return type_of(event.kind).was_number;
}

}  // namespace poolwarden::pool
