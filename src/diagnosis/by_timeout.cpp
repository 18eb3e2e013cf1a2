// Workers that we ended because they did not do something in time: what they were at instead.

#include "base/units.h"
#include "diagnosis/inquest.h"
#include "diagnosis/thread_summary.h"

namespace poolwarden::diagnosis {
namespace {

std::string figure(const Circumstances& circumstances, const std::string& setting) {
  if (circumstances.limit == Duration::zero()) return setting;
  return setting + " (" + format_duration(circumstances.limit) + ")";
}

std::string what_happened(Cause cause, const Circumstances& circumstances) {
  if (cause == Cause::StartupTimeout)
    return "was not ready within " + figure(circumstances, "ready.timeout") + " and was killed";
  if (cause == Cause::PingTimeout)
    return "did not answer its pings within " + figure(circumstances, "health.ping.timeout") +
           " and was ended";
  if (cause == Cause::Deadlock)
    return "answered none of the requests that waited for " +
           figure(circumstances, "health.deadlock.after") + " and was ended";
  return "did not answer a request within " + figure(circumstances, "health.request_timeout") +
         " and was ended";
}

struct Silence {
  Detail detail = Detail::None;
  const char* words = "";
  const char* next_step = "";
};

// What a start that is not over was waited for.
Silence silence_of(const Circumstances& circumstances) {
  const bool asks_socket =
      circumstances.awaited == Awaited::Connection || circumstances.awaited == Awaited::Http;
  if (circumstances.awaited == Awaited::Notify) {
    return {Detail::NeverNotified, "it never sent READY=1 to $NOTIFY_SOCKET",
            "Let it call sd_notify(\"READY=1\") when it serves, or set ready: connect."};
  }
  if (asks_socket && circumstances.inherits_socket) {
    return {Detail::SocketNotTaken, "it never served the socket that it was given as descriptor 3",
            "Let it take descriptor 3 (LISTEN_FDS, as with systemd's socket activation), or set "
            "connect: unix or tcp."};
  }
  if (asks_socket) {
    return {Detail::SocketSilent, "nothing answered where it was to listen",
            "Let it listen where it is told: $POOLWARDEN_SOCKET, or $HOST and $PORT."};
  }
  return {};
}

// What its output says of a start that does not come to an end.
Reading read_start(const Inquest& inquest) {
  Reading reading = read_port(inquest);
  if (reading.words.empty()) reading = read_failure(inquest);
  return reading;
}

std::string usual_next_step(Cause cause) {
  if (cause == Cause::StartupTimeout)
    return "Find what its start waits for in its output, or raise ready.timeout.";
  if (cause == Cause::RequestTimeout)
    return "Find what the request waits for, or raise health.request_timeout.";
  return "Find what it waits for: set health.stack_signal to have it write its stacks.";
}

void add(std::string& text, const std::string& sentence) {
  if (sentence.empty()) return;
  text += (text.empty() ? "" : " ") + sentence;
}

}  // namespace

Diagnosis judge_timeout(Cause cause, const Inquest& inquest) {
  Diagnosis made;
  made.cause = cause;
  made.sentence = what_happened(cause, inquest.circumstances);
  std::string silence_step;
  if (cause == Cause::StartupTimeout) {
    const Silence silence = silence_of(inquest.circumstances);
    made.detail = silence.detail;
    if (*silence.words) made.sentence += std::string(": ") + silence.words;
    silence_step = silence.next_step;
    const Reading reading = read_start(inquest);
    if (!reading.words.empty())
      made.sentence += "; its output says that it failed " + reading.words;
    add(made.next_step, reading.next_step);
  }
  const auto& breach = inquest.evidence.protocol_breach;
  if (!breach.empty()) {
    made.cause = Cause::ProtocolError;
    made.detail = Detail::None;
    made.sentence += "; it answered with something that is no HTTP: \"" + breach + "\"";
    made.next_step = "Let it speak HTTP/1.1 on the socket that it is told.";
  }
  const std::string threads = summary_of(inquest.evidence.threads);
  if (!threads.empty()) made.sentence += "; " + threads;
  if (made.next_step.empty()) made.next_step = suggestion_of(inquest.evidence.threads);
  add(made.next_step, breach.empty() ? silence_step : "");
  if (made.next_step.empty()) made.next_step = usual_next_step(cause);
  return made;
}

}  // namespace poolwarden::diagnosis
