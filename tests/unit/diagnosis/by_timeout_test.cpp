// Workers that we ended for what they did not do in time: what was waited for, and what they did.

#include <gtest/gtest.h>

#include <csignal>

#include "diagnosis/thread_summary.h"
#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::vector<ThreadState> threads(std::initializer_list<std::pair<char, const char*>> all) {
  std::vector<ThreadState> made;
  for (const auto& [state, place] : all) {
    ThreadState thread;
    thread.tid = static_cast<int>(100 + made.size());
    thread.state = state;
    thread.waits_in = place;
    made.push_back(thread);
  }
  return made;
}

Circumstances ran_out(Intent intent) {
  Circumstances circumstances;
  circumstances.intent = intent;
  circumstances.kill_sent = true;
  circumstances.limit = 90s;
  return circumstances;
}

TEST(TimeOut, IsToldWithItsSettingAndLimit) {
  const std::pair<Intent, Expected> rows[] = {
      {Intent::StartupTimeout,
       {Cause::StartupTimeout, Detail::None,
        "was not ready within ready.timeout (1m30s) and was killed", "raise ready.timeout"}},
      {Intent::PingTimeout,
       {Cause::PingTimeout, Detail::None,
        "did not answer its pings within health.ping.timeout (1m30s) and was ended",
        "health.stack_signal"}},
      {Intent::Deadlock,
       {Cause::Deadlock, Detail::None,
        "answered none of the requests that waited for health.deadlock.after (1m30s) and was ended",
        "health.stack_signal"}},
      {Intent::RequestTimeout,
       {Cause::RequestTimeout, Detail::None,
        "did not answer a request within health.request_timeout (1m30s) and was ended",
        "health.request_timeout"}},
  };
  for (const auto& [intent, expected] : rows)
    expect(diagnose(left(Signaled{SIGKILL}), ran_out(intent)), expected);
}

TEST(StartupTimeout, SaysWhatItWaitedFor) {
  Circumstances circumstances = ran_out(Intent::StartupTimeout);
  circumstances.limit.reset();
  circumstances.awaited = Awaited::Notify;
  expect(diagnose(left(Signaled{SIGKILL}), circumstances),
         {Cause::StartupTimeout, Detail::NeverNotified,
          "was not ready within ready.timeout and was killed: it never sent READY=1 to "
          "$NOTIFY_SOCKET",
          "sd_notify"});
  circumstances.awaited = Awaited::Connection;
  expect(diagnose(left(Signaled{SIGKILL}), circumstances),
         {Cause::StartupTimeout, Detail::SocketSilent,
          "was not ready within ready.timeout and was killed: nothing answered where it was to "
          "listen",
          "$POOLWARDEN_SOCKET"});
  circumstances.awaited = Awaited::Http;
  circumstances.inherits_socket = true;
  expect(diagnose(left(Signaled{SIGKILL}), circumstances),
         {Cause::StartupTimeout, Detail::SocketNotTaken,
          "was not ready within ready.timeout and was killed: it never served the socket that it "
          "was given as descriptor 3",
          "LISTEN_FDS"});
}

TEST(StartupTimeout, SaysWhatTheOutputSays) {
  const Evidence evidence =
      left(Signaled{SIGKILL}, "[ERROR] Connection in use: ('127.0.0.1', 8000)\n[ERROR] Retrying");
  expect(diagnose(evidence, ran_out(Intent::StartupTimeout)),
         {Cause::StartupTimeout, Detail::None,
          "was not ready within ready.timeout (1m30s) and was killed; its output says that it "
          "failed because 127.0.0.1:8000 was in use",
          "$POOLWARDEN_SOCKET"});
}

TEST(TimeOut, SaysWhatTheThreadsDid) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.threads = threads({{'S', "futex_wait_queue"},
                              {'S', "ep_poll"},
                              {'S', "futex_wait_queue"},
                              {'D', "nfs_wait_bit_killable"}});
  expect(diagnose(evidence, ran_out(Intent::PingTimeout)),
         {Cause::PingTimeout, Detail::None,
          "did not answer its pings within health.ping.timeout (1m30s) and was ended; 1 of 4 "
          "threads of its tree is in state D (not to be interrupted) in nfs_wait_bit_killable, 2 "
          "wait in futex_wait_queue, 1 waits in ep_poll",
          "network file system"});
}

TEST(TimeOut, IsNotWhatEndsAWorkerThatFaultedMeanwhile) {  // its core took long to write
  Circumstances circumstances = ran_out(Intent::RequestTimeout);
  circumstances.own_signals = {SIGTERM, SIGABRT};
  Evidence evidence = left(Signaled{SIGSEGV, true});
  evidence.fault = {.si_code = SEGV_MAPERR, .address = 0x10};
  const Diagnosis told = diagnose(evidence, circumstances);
  EXPECT_EQ(told.cause, Cause::Segfault);
  EXPECT_EQ(told.sender, Sender::KernelFault);
  EXPECT_THAT(told.sentence,
              HasSubstr("meanwhile it did not answer a request within health.request_timeout"));
  evidence = left(Signaled{SIGABRT, true});
  EXPECT_EQ(diagnose(evidence, circumstances).cause, Cause::RequestTimeout) << "it had it from us";
}

TEST(TimeOut, IsNotWhatEndsAWorkerThatTheKernelChoseMeanwhile) {
  Circumstances circumstances = ran_out(Intent::PingTimeout);
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.memory.recent_oom_kills = 1;
  evidence.oom_kills = 1;
  circumstances.kill_sent = false;
  EXPECT_EQ(diagnose(evidence, circumstances).cause, Cause::OomKilled);
  circumstances.kill_sent = true;
  const Diagnosis both = diagnose(evidence, circumstances);
  EXPECT_EQ(both.cause, Cause::PingTimeout);
  EXPECT_THAT(both.sentence, HasSubstr("had struck 1 process of its tree"));
}

TEST(TimeOut, IsAProtocolErrorWhereTheAnswerIsNoHttp) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.protocol_breach = "SSH-2.0-x";
  Circumstances circumstances = ran_out(Intent::StartupTimeout);
  circumstances.awaited = Awaited::Http;
  expect(diagnose(evidence, circumstances),
         {Cause::ProtocolError, Detail::None,
          "was not ready within ready.timeout (1m30s) and was killed; it answered with something "
          "that is no HTTP: \"SSH-2.0-x\"",
          "HTTP/1.1"});
  circumstances.intent = Intent::PingTimeout;
  expect(diagnose(evidence, circumstances),
         {Cause::ProtocolError, Detail::None,
          "did not answer its pings within health.ping.timeout (1m30s) and was ended; it answered "
          "with something that is no HTTP: \"SSH-2.0-x\"",
          "HTTP/1.1"});
  circumstances.intent = Intent::Deadlock;
  EXPECT_EQ(diagnose(evidence, circumstances).cause, Cause::Deadlock) << "the pings are not why";
}

TEST(StartupTimeout, SaysWhatItWasAnswered) {
  Circumstances circumstances = ran_out(Intent::StartupTimeout);
  circumstances.awaited = Awaited::Http;
  struct Row {
    ProbeAnswer probe;
    Expected expected;
  };
  const Row rows[] = {
      {{"/readyz", 503, "", true},
       {Cause::StartupTimeout, Detail::NotReadyAnswer,
        "was not ready within ready.timeout (1m30s) and was killed: it answered /readyz with 503, "
        "last",
        "See why it answers /readyz so"}},
      {{"/readyz", 404, "Connection refused", true},
       {Cause::StartupTimeout, Detail::NotReadyAnswer,
        "was not ready within ready.timeout (1m30s) and was killed: it answered /readyz with 404, "
        "and at the end not at all (Connection refused)",
        "ready.http is to name a path"}},
      {{"/readyz", 0, "partial message", true},
       {Cause::StartupTimeout, Detail::NotReadyAnswer,
        "was not ready within ready.timeout (1m30s) and was killed: its answer to /readyz broke "
        "off (partial message)",
        "answer whole"}},
      {{"/readyz", 0, "Connection refused", false},
       {Cause::StartupTimeout, Detail::SocketSilent,
        "was not ready within ready.timeout (1m30s) and was killed: nothing answered where it was "
        "to listen (Connection refused)",
        "$POOLWARDEN_SOCKET"}},
  };
  for (const Row& row : rows) {
    Evidence evidence = left(Signaled{SIGKILL});
    evidence.probe = row.probe;
    evidence.threads = threads({{'S', "ep_poll"}});
    Diagnosis told = diagnose(evidence, circumstances);
    EXPECT_TRUE(told.sentence.ends_with("; its only thread waits in ep_poll")) << told.sentence;
    evidence.threads.clear();
    expect(diagnose(evidence, circumstances), row.expected);
    const bool is_silent = row.expected.detail == Detail::SocketSilent;
    EXPECT_EQ(told.next_step.find("idle server") != std::string::npos, is_silent) << told.next_step;
    circumstances.inherits_socket = true;
    EXPECT_EQ(diagnose(evidence, circumstances).detail,
              is_silent ? Detail::SocketNotTaken : Detail::NotReadyAnswer);
    circumstances.inherits_socket = false;
  }
}

TEST(StartupTimeout, UnderADebuggerNamesItAndItsLimit) {
  Circumstances circumstances = ran_out(Intent::StartupTimeout);
  circumstances.debug_tool = "strace";
  circumstances.limit = 10s;
  EXPECT_EQ(diagnose(left(Signaled{SIGKILL}), circumstances).sentence,
            "was not ready under strace within 10s and was killed");
}

TEST(PingTimeout, SaysWhatTheAnswerWas) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.probe = ProbeAnswer{"/healthz", 500, "", true};
  evidence.threads = threads({{'S', "ep_poll"}});
  expect(diagnose(evidence, ran_out(Intent::PingTimeout)),
         {Cause::PingTimeout, Detail::None,
          "answered its pings of /healthz with 500 for health.ping.timeout (1m30s) and was ended; "
          "its only thread waits in ep_poll",
          "See why it answers /healthz so"});
  evidence.probe->status = 200;  // it became ready so, and sent no WATCHDOG=1 since
  EXPECT_THAT(diagnose(evidence, ran_out(Intent::PingTimeout)).sentence,
              HasSubstr("did not answer its pings"));
  evidence.probe = ProbeAnswer{"/healthz", 500, "no answer in time", true};
  EXPECT_THAT(diagnose(evidence, ran_out(Intent::PingTimeout)).sentence,
              HasSubstr("did not answer its pings"));
}

TEST(ThreadSummary, CountsWhatThreadsDo) {
  EXPECT_EQ(summary_of({}), "");
  EXPECT_EQ(summary_of(threads({{'S', "futex_wait_queue"}})),
            "its only thread waits in futex_wait_queue");
  EXPECT_EQ(summary_of(threads({{'R', ""}, {'R', ""}})), "2 of 2 threads of its tree run");
  EXPECT_EQ(
      summary_of(threads({{'T', ""}, {'t', ""}, {'Z', ""}})),
      "1 of 3 threads of its tree is stopped by a signal, 1 is stopped by a debugger, 1 has ended");
  EXPECT_EQ(summary_of(threads({{'S', "a"}, {'S', "b"}, {'S', "c"}, {'S', "d"}})),
            "1 of 4 threads of its tree waits in a, 1 waits in b, 1 waits in c");
  EXPECT_EQ(summary_of(threads({{'?', ""}, {'S', ""}})),
            "1 of 2 threads of its tree is in an unknown state, 1 waits");
  EXPECT_EQ(summary_of(threads({{'T', ""}, {'T', ""}, {'D', ""}, {'D', ""}, {'X', ""}, {'X', ""}})),
            "2 of 6 threads of its tree are in state D (not to be interrupted), 2 are stopped by a "
            "signal, 2 "
            "have ended");
}

TEST(ThreadSummary, SuggestsWhereToLook) {
  const std::pair<std::vector<ThreadState>, const char*> rows[] = {
      {threads({{'S', "ep_poll"}, {'D', "io_schedule"}}), "state D"},
      {threads({{'S', "ep_poll"}, {'T', ""}}), "kill -CONT"},
      {threads({{'S', "ep_poll"}, {'R', ""}}), "endless loop"},
      {threads({{'S', "futex_wait_queue"}, {'S', "locks_lock_inode_wait"}}), "lslocks"},
      {threads({{'S', "futex_wait_queue"}, {'S', "do_wait"}}), "child process"},
      {threads({{'S', "futex_wait_queue"}, {'S', "sk_wait_data"}}), "network"},
      {threads({{'S', "futex_do_wait"}, {'S', "__skb_wait_for_more_packets"}}), "locks"},
      {threads({{'S', "inet_csk_accept"}}), "idle server"},
      {{{1, 'S', "t", "__skb_wait_for_more_packets", {"skb_recv_datagram", "unix_accept"}}},
       "idle server"},
      {{{1, 'S', "t", "__skb_wait_for_more_packets", {"skb_recv_datagram", "udp_recvmsg"}}},
       "network"},
      {threads({{'S', "futex_wait_queue"}, {'S', "ep_poll"}}), "deadlock"},
      {threads({{'S', "hrtimer_nanosleep"}}), "sleeps"},
      {threads({{'S', "do_sys_poll"}}), "idle server"},
  };
  for (const auto& [all, hint] : rows) EXPECT_THAT(suggestion_of(all), HasSubstr(hint));
  EXPECT_EQ(suggestion_of({}), "");
  EXPECT_EQ(suggestion_of(threads({{'S', "anything"}})), "");
}

}  // namespace
}  // namespace poolwarden::diagnosis
