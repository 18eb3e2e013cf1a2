// Workers that we ended because they did not do something in time: what they were at instead.

#include "base/units.h"
#include "diagnosis/inquest.h"
#include "diagnosis/thread_summary.h"

namespace poolwarden::diagnosis {
namespace {

std::string figure(const Circumstances& circumstances, const std::string& setting) {
  if (!circumstances.limit) return setting;
  return setting + " (" + format_duration(*circumstances.limit) + ")";
}

// A start under a tool has a limit of its own.
std::string late_start(const Circumstances& circumstances) {
  const std::string& tool = circumstances.debug_tool;
  if (tool.empty()) return "was not ready within " + figure(circumstances, "ready.timeout");
  const std::string limit =
      circumstances.limit ? format_duration(*circumstances.limit) : "its time";
  return "was not ready under " + tool + " within " + limit;
}

// Its last ping was answered, and not well.
bool answers_badly(const Evidence& evidence) {
  const auto& probe = evidence.probe;
  return probe && probe->status >= 400 && probe->error.empty();
}

std::string answer_of(const ProbeAnswer& probe) {
  return probe.path + " with " + std::to_string(probe.status);
}

struct Silence {
  Detail detail = Detail::None;
  std::string words;
  std::string next_step;
};

std::string see_why(const std::string& path) {
  return "See why it answers " + path + " so: in its own output, or by asking it yourself.";
}

// It was asked, and something came back.
Silence unready_answer(const ProbeAnswer& probe) {
  if (probe.status == 0)
    return {Detail::NotReadyAnswer,
            "its answer to " + probe.path + " broke off (" + probe.error + ")",
            "Let it answer whole, in HTTP/1.1."};
  const std::string after =
      probe.error.empty() ? ", last" : ", and at the end not at all (" + probe.error + ")";
  return {Detail::NotReadyAnswer, "it answered " + answer_of(probe) + after,
          see_why(probe.path) + " ready.http is to name a path that is answered when it serves."};
}

// What a start that is not over was waited for.
Silence silence_of(const Inquest& inquest) {
  const Circumstances& circumstances = inquest.circumstances;
  const auto& probe = inquest.evidence.probe;
  if (!inquest.evidence.protocol_breach.empty()) return {};
  if (probe && probe->was_answered) return unready_answer(*probe);
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
    const bool is_known = probe && !probe->error.empty();
    return {Detail::SocketSilent,
            "nothing answered where it was to listen" +
                (is_known ? " (" + probe->error + ")" : std::string()),
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

// Of what it is asked for before it is ready, and again and again afterwards.
bool breaks_protocol(Cause cause, const Evidence& evidence) {
  const bool was_asked = cause == Cause::StartupTimeout || cause == Cause::PingTimeout;
  return was_asked && !evidence.protocol_breach.empty();
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

std::string describe_timeout(Cause cause, const Inquest& inquest) {
  const Circumstances& circumstances = inquest.circumstances;
  if (cause == Cause::StartupTimeout) return late_start(circumstances);
  if (cause == Cause::PingTimeout && answers_badly(inquest.evidence))
    return "answered its pings of " + answer_of(*inquest.evidence.probe) + " for " +
           figure(circumstances, "health.ping.timeout");
  if (cause == Cause::PingTimeout)
    return "did not answer its pings within " + figure(circumstances, "health.ping.timeout");
  if (cause == Cause::Deadlock)
    return "answered none of the requests that waited for " +
           figure(circumstances, "health.deadlock.after");
  return "did not answer a request within " + figure(circumstances, "health.request_timeout");
}

Diagnosis judge_timeout(Cause cause, const Inquest& inquest) {
  const Evidence& evidence = inquest.evidence;
  Diagnosis made;
  made.cause = cause;
  made.sentence = describe_timeout(cause, inquest) +
                  (cause == Cause::StartupTimeout ? " and was killed" : " and was ended");
  std::string silence_step;
  if (cause == Cause::StartupTimeout) {
    const Silence silence = silence_of(inquest);
    made.detail = silence.detail;
    if (!silence.words.empty()) made.sentence += ": " + silence.words;
    silence_step = silence.next_step;
    const Reading reading = read_start(inquest);
    if (!reading.words.empty())
      made.sentence += "; its output says that it failed " + reading.words;
    made.next_step = reading.next_step;
  }
  if (breaks_protocol(cause, evidence)) {
    made.cause = Cause::ProtocolError;
    made.sentence +=
        "; it answered with something that is no HTTP: \"" + evidence.protocol_breach + "\"";
    made.next_step = "Let it speak HTTP/1.1 on the socket that it is told.";
  } else if (cause == Cause::PingTimeout && answers_badly(evidence)) {
    made.next_step = see_why(evidence.probe->path);
  }
  const std::string threads = summary_of(evidence.threads);
  if (!threads.empty()) made.sentence += "; " + threads;
  // What its threads wait for says why nothing comes of it; who answers waits for more requests.
  if (made.next_step.empty() && made.detail != Detail::NotReadyAnswer)
    made.next_step = suggestion_of(evidence.threads);
  add(made.next_step, silence_step);
  if (made.next_step.empty()) made.next_step = usual_next_step(cause);
  return made;
}

}  // namespace poolwarden::diagnosis
