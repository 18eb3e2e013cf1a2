// A certificate in which every field says something, and each something else.

#pragma once

#include <csignal>

#include "diagnosis/certificate.h"

namespace poolwarden::fakes {

inline diagnosis::Evidence full_evidence() {
  using namespace std::chrono_literals;
  diagnosis::Evidence evidence;
  evidence.status = diagnosis::Signaled{SIGSEGV, true};
  evidence.oom_kills = 2;
  evidence.last_output = "started\nTraceback";
  evidence.memory_peak = 64ull << 20;
  evidence.requests_served = 1234;
  evidence.memory = {2, 3, 1, diagnosis::OomScope::OwnLimit, 1};
  evidence.pids_limit_hits = 7;
  evidence.recent_pids_limit_hits = 5;
  evidence.cpu_user = 1500ms;
  evidence.cpu_system = 250ms;
  evidence.output = {{false, "started"}, {true, "Traceback"}};
  evidence.threads = {{4711, 'D', "python3", "futex_wait", {"futex_wait_queue", "do_futex"}},
                      {4712, 'S', "", "", {}}};
  evidence.left_behind = {"4713 sleep"};
  evidence.port_holder = diagnosis::PortHolder{8080, 99, "nginx"};
  evidence.loader = {{"/srv/app", "libfoo.so.1", "/usr/lib/libfoo.so.1", "aarch64"}};
  evidence.protocol_breach = "HTTP/0.9 hello";
  evidence.probe = diagnosis::ProbeAnswer{"/readyz", 503, "end of stream", true};
  evidence.is_over_cpu_rlimit = true;
  evidence.has_file_size_rlimit = true;
  evidence.fault = diagnosis::FaultSite{2,   0xfffffffffffff001, 0x7ffe0010, 0x401136, true, 55,
                                        231, "exit_group"};
  evidence.core = diagnosis::CoreFile{"/var/crash/core.4711", 123456, "it was cut"};
  evidence.backtrace = {"crash () at app.c:7", "main () at app.c:12"};
  evidence.why_no_backtrace = "the rest was cut";
  evidence.cut_requests = {{"POST", "/orders", 1250ms}};
  return evidence;
}

inline diagnosis::Certificate full_certificate() {
  using namespace std::chrono_literals;
  diagnosis::Certificate certificate;
  certificate.number = 17;
  certificate.pool = "web";
  certificate.slot = 3;
  certificate.generation = 42;
  certificate.pid = 4711;
  certificate.ended = WallTime(std::chrono::seconds(1795342272)) + 7ms;
  certificate.uptime = 90s + 1ms;
  certificate.was_ready = true;
  certificate.intent = diagnosis::Intent::Recycle;
  certificate.recycle_reason = "memory";
  certificate.debug_tool = "gdb";
  certificate.evidence = full_evidence();
  certificate.diagnosis = {diagnosis::Cause::StackOverflow,
                           diagnosis::Detail::SmashedStack,
                           diagnosis::Sender::KernelFault,
                           true,
                           true,
                           "used up its stack",
                           "look for recursion"};
  return certificate;
}

}  // namespace poolwarden::fakes
