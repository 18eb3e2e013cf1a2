// A certificate as JSON and back: nothing is lost, and nothing that comes in breaks it.

#include "journal/certificate_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "fakes/full_certificate.h"
#include "journal/json_values.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using diagnosis::Certificate;
using testing::ElementsAre;
using testing::IsEmpty;

namespace json = boost::json;

// Over the text, as it goes to the disk and comes back.
Certificate there_and_back(const Certificate& certificate) {
  const std::string text = json::serialize(as_json(certificate));
  return certificate_from(json::parse(text).as_object()).value();
}

TEST(CertificateJson, KeepsWhoItWasAndWhy) {
  const Certificate back = there_and_back(fakes::full_certificate());
  EXPECT_EQ(back.number, 17u);
  EXPECT_EQ(back.pool, "web");
  EXPECT_EQ(back.slot, 3u);
  EXPECT_EQ(back.generation, 42u);
  EXPECT_EQ(back.pid, 4711);
  EXPECT_EQ(back.ended, WallTime(std::chrono::seconds(1795342272)) + 7ms);
  EXPECT_EQ(back.uptime, 90s + 1ms);
  EXPECT_TRUE(back.was_ready);
  EXPECT_EQ(back.intent, diagnosis::Intent::Recycle);
  EXPECT_EQ(back.recycle_reason, "memory");
  EXPECT_EQ(back.debug_tool, "gdb");
  EXPECT_EQ(back.diagnosis.cause, diagnosis::Cause::StackOverflow);
  EXPECT_EQ(back.diagnosis.detail, diagnosis::Detail::SmashedStack);
  EXPECT_EQ(back.diagnosis.sender, diagnosis::Sender::KernelFault);
  EXPECT_TRUE(back.diagnosis.expected);
  EXPECT_TRUE(back.diagnosis.incurable);
  EXPECT_EQ(back.diagnosis.sentence, "used up its stack");
  EXPECT_EQ(back.diagnosis.next_step, "look for recursion");
}

TEST(CertificateJson, KeepsWhatItUsed) {
  const diagnosis::Evidence back = there_and_back(fakes::full_certificate()).evidence;
  EXPECT_EQ(back.requests_served, 1234u);
  EXPECT_EQ(back.memory_peak, 64ull << 20);
  EXPECT_EQ(back.oom_kills, 2u);
  EXPECT_EQ(back.memory.oom_kills, 2u);
  EXPECT_EQ(back.memory.own_limit_hits, 3u);
  EXPECT_EQ(back.memory.group_kills, 1u);
  EXPECT_EQ(back.memory.scope, diagnosis::OomScope::OwnLimit);
  EXPECT_EQ(back.pids_limit_hits, 7u);
  EXPECT_EQ(back.cpu_user, 1500ms);
  EXPECT_EQ(back.cpu_system, 250ms);
  EXPECT_EQ(back.memory.recent_oom_kills, 1u);
  EXPECT_EQ(back.recent_pids_limit_hits, 5u);
  EXPECT_TRUE(back.is_over_cpu_rlimit);
  EXPECT_TRUE(back.has_file_size_rlimit);
}

TEST(CertificateJson, KeepsTheFault) {
  const auto fault = there_and_back(fakes::full_certificate()).evidence.fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->si_code, 2);
  EXPECT_EQ(fault->address, 0xfffffffffffff001);
  EXPECT_EQ(fault->stack_pointer, 0x7ffe0010u);
  EXPECT_EQ(fault->program_counter, 0x401136u);
  EXPECT_TRUE(fault->is_stack_exhausted);
  EXPECT_EQ(fault->sender_pid, 55);
  EXPECT_EQ(fault->syscall_number, 231);
  EXPECT_EQ(fault->syscall_name, "exit_group");
}

TEST(CertificateJson, WritesNoAddressWhereNoneIsKnown) {
  Certificate certificate = fakes::full_certificate();
  certificate.evidence.fault = diagnosis::FaultSite{.si_code = 128};
  const json::object object = as_json(certificate);
  for (const char* key : {"address", "stack_pointer", "program_counter"})
    EXPECT_FALSE(object.contains(key)) << key;
  EXPECT_FALSE(there_and_back(certificate).evidence.fault->address);
  certificate.evidence.fault->address = 0;
  EXPECT_EQ(as_json(certificate).at("address"), "0x0");
  EXPECT_EQ(there_and_back(certificate).evidence.fault->address, 0u);
}

// The kernel's log has none.
TEST(CertificateJson, WritesNoCodeWhereNoneIsKnown) {
  Certificate certificate = fakes::full_certificate();
  certificate.evidence.fault = diagnosis::FaultSite{.stack_pointer = 16};
  EXPECT_FALSE(as_json(certificate).contains("si_code"));
  const auto fault = there_and_back(certificate).evidence.fault;
  ASSERT_TRUE(fault);
  EXPECT_FALSE(fault->si_code);
  EXPECT_EQ(fault->stack_pointer, 16u);
  certificate.evidence.fault->si_code = 0;  // SI_USER
  EXPECT_EQ(there_and_back(certificate).evidence.fault->si_code, 0);
}

TEST(CertificateJson, KeepsWhatItAnswered) {
  const auto probe = there_and_back(fakes::full_certificate()).evidence.probe;
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->path, "/readyz");
  EXPECT_EQ(probe->status, 503);
  EXPECT_EQ(probe->error, "end of stream");
  EXPECT_TRUE(probe->was_answered);
}

TEST(CertificateJson, KeepsWhatItWasDoing) {
  const diagnosis::Evidence back = there_and_back(fakes::full_certificate()).evidence;
  ASSERT_EQ(back.threads.size(), 2u);
  EXPECT_EQ(back.threads[0].tid, 4711);
  EXPECT_EQ(back.threads[0].state, 'D');
  EXPECT_EQ(back.threads[0].name, "python3");
  EXPECT_EQ(back.threads[0].waits_in, "futex_wait");
  EXPECT_THAT(back.threads[0].kernel_stack, ElementsAre("futex_wait_queue", "do_futex"));
  EXPECT_EQ(back.threads[1].tid, 4712);
  ASSERT_EQ(back.output.size(), 2u);
  EXPECT_FALSE(back.output[0].is_stderr);
  EXPECT_EQ(back.output[0].text, "started");
  EXPECT_TRUE(back.output[1].is_stderr);
  EXPECT_EQ(back.last_output, "started\nTraceback");
  ASSERT_EQ(back.cut_requests.size(), 1u);
  EXPECT_EQ(back.cut_requests[0].method, "POST");
  EXPECT_EQ(back.cut_requests[0].path, "/orders");
  EXPECT_EQ(back.cut_requests[0].age, 1250ms);
}

TEST(CertificateJson, KeepsWhatItLeftAndWhatStoodInItsWay) {
  const diagnosis::Evidence back = there_and_back(fakes::full_certificate()).evidence;
  EXPECT_THAT(back.left_behind, ElementsAre("4713 sleep"));
  EXPECT_EQ(back.protocol_breach, "HTTP/0.9 hello");
  EXPECT_THAT(back.backtrace, ElementsAre("crash () at app.c:7", "main () at app.c:12"));
  EXPECT_EQ(back.why_no_backtrace, "the rest was cut");
  ASSERT_TRUE(back.core);
  EXPECT_EQ(back.core->path, "/var/crash/core.4711");
  EXPECT_EQ(back.core->bytes, 123456u);
  EXPECT_EQ(back.core->why_none, "it was cut");
  ASSERT_TRUE(back.port_holder);
  EXPECT_EQ(back.port_holder->port, 8080);
  EXPECT_EQ(back.port_holder->pid, 99);
  EXPECT_EQ(back.port_holder->name, "nginx");
  ASSERT_EQ(back.loader.size(), 1u);
  EXPECT_EQ(back.loader[0].object, "/srv/app");
  EXPECT_EQ(back.loader[0].needed, "libfoo.so.1");
  EXPECT_EQ(back.loader[0].found, "/usr/lib/libfoo.so.1");
  EXPECT_EQ(back.loader[0].machine, "aarch64");
}

TEST(CertificateJson, KeepsEachWayToEnd) {
  Certificate certificate = fakes::full_certificate();
  const std::vector<diagnosis::ExitStatus> ways = {
      diagnosis::Exited{0},
      diagnosis::Exited{78},
      diagnosis::Signaled{SIGKILL, false},
      diagnosis::Signaled{SIGRTMIN + 3, true},
      diagnosis::NotStarted{diagnosis::SpawnStage::Directory, ENOENT, "/srv/gone"},
      diagnosis::NotStarted{diagnosis::SpawnStage::Clone, EAGAIN, ""}};
  for (const diagnosis::ExitStatus& way : ways) {
    certificate.evidence.status = way;
    EXPECT_EQ(there_and_back(certificate).evidence.status, way) << describe(way);
  }
}

TEST(CertificateJson, KnowsTheWordsOfAllCauses) {
  Certificate certificate = fakes::full_certificate();
  for (int i = 0; i < diagnosis::kCauses; ++i) {
    certificate.diagnosis.cause = static_cast<diagnosis::Cause>(i);
    EXPECT_EQ(there_and_back(certificate).diagnosis.cause, certificate.diagnosis.cause);
  }
}

TEST(CertificateJson, LeavesOutWhatIsNotKnown) {
  Certificate certificate;
  certificate.number = 1;
  certificate.pool = "web";
  const json::object object = as_json(certificate);
  for (const char* key :
       {"si_code", "memory_peak", "oom", "cpu_seconds", "cut_requests", "threads", "output",
        "core_file", "backtrace", "why_no_backtrace", "left_behind", "port_holder", "loader",
        "detail", "sent_by", "next_step", "recycle_reason"}) {
    EXPECT_FALSE(object.contains(key)) << key;
  }
  const diagnosis::Evidence back = there_and_back(certificate).evidence;
  EXPECT_FALSE(back.fault);
  EXPECT_FALSE(back.core);
  EXPECT_FALSE(back.port_holder);
  EXPECT_THAT(back.output, IsEmpty());
}

TEST(CertificateJson, TakesOutputWhoseStreamsNobodyNoted) {
  Certificate certificate = fakes::full_certificate();
  certificate.evidence.output.clear();
  const Certificate back = there_and_back(certificate);
  EXPECT_EQ(back.evidence.last_output, "started\nTraceback");
  EXPECT_THAT(back.evidence.output, IsEmpty());
}

TEST(CertificateJson, IsValidUtf8WhateverTheWorkerWrote) {
  Certificate certificate = fakes::full_certificate();
  certificate.evidence.output = {{true, "\xff\xfe gr\xc3\xbcn"}};
  certificate.evidence.left_behind = {"12 \xc3("};
  const std::string text = json::serialize(as_json(certificate));
  EXPECT_EQ(valid_utf8(text), text);
  EXPECT_THAT(text, testing::HasSubstr("\xef\xbf\xbd gr\xc3\xbcn"));
}

TEST(CertificateJson, TellsAnEventOfItWithoutItsLists) {
  json::object event;
  add_end(event, fakes::full_certificate());
  EXPECT_EQ(event.at("certificate"), 17);
  EXPECT_EQ(event.at("signal"), "SIGSEGV");
  EXPECT_EQ(event.at("core"), true);
  EXPECT_EQ(event.at("diagnosis"), "stack_overflow");
  EXPECT_EQ(event.at("sent_by"), "kernel_fault");
  EXPECT_EQ(event.at("address"), "0xfffffffffffff001");
  for (const char* key :
       {"output", "threads", "backtrace", "cut_requests", "left_behind", "loader"})
    EXPECT_FALSE(event.contains(key)) << key;
}

TEST(CertificateJson, RefusesWhatIsNoCertificate) {
  for (const char* text :
       {"{}", R"({"number":1,"pool":"web"})", R"({"number":0,"pool":"web","exit_code":1})",
        R"({"number":1,"exit_code":1})", R"({"number":-4,"pool":"web","exit_code":1})"}) {
    EXPECT_FALSE(certificate_from(json::parse(text).as_object())) << text;
  }
}

json::object small(const char* key, const char* value) {
  json::object object{{"number", 1}, {"pool", "web"}, {"exit_code", 1}};
  if (std::string_view(key) == "signal") object.erase("exit_code");
  object[key] = json::parse(value);
  return object;
}

TEST(CertificateJson, SurvivesValuesThatMakeNoSense) {
  const auto odd = certificate_from(json::parse(R"({"number":1,"pool":"web","exit_code":1,"pid":"x",
                      "diagnosis":"of_a_newer_version","detail":"unknown",
                      "threads":[1,{"state":""}],"output":{"a":1},"oom":[],"core_file":3,
                      "cpu_seconds":{"user":7e9,"system":4e9},
                      "cut_requests":[{"age_seconds":-1e300}]})")
                                        .as_object())
                       .value();
  EXPECT_EQ(odd.evidence.status, diagnosis::ExitStatus(diagnosis::Exited{1}));
  EXPECT_EQ(odd.pid, 0);
  EXPECT_EQ(odd.diagnosis.cause, diagnosis::Cause::Unknown);
  EXPECT_EQ(odd.diagnosis.detail, diagnosis::Detail::None);
  ASSERT_EQ(odd.evidence.threads.size(), 1u);
  EXPECT_EQ(odd.evidence.threads[0].state, '?');
  EXPECT_EQ(odd.evidence.cpu_user, 0s);
  EXPECT_GT(odd.evidence.cpu_system + odd.evidence.cpu_system, 0s) << "they are added";
  EXPECT_EQ(odd.evidence.cut_requests.front().age, 0s);
}

TEST(CertificateJson, RefusesWhatCannotBeOfAnyWorker) {
  const std::pair<const char*, const char*> impossible[] = {{"number", "18446744073709551615"},
                                                            {"number", "9007199254740993"},
                                                            {"number", "1.5"},
                                                            {"exit_code", "1e300"},
                                                            {"exit_code", "256"},
                                                            {"exit_code", "-1"},
                                                            {"exit_code", R"("1")"},
                                                            {"signal", R"("SIGNONE")"},
                                                            {"signal", "9"},
                                                            {"ended", "1e300"},
                                                            {"ended", "-1"},
                                                            {"ended", "4000000001"},
                                                            {"ended", R"("now")"},
                                                            {"uptime_seconds", "-0.5"},
                                                            {"uptime_seconds", "4e8"},
                                                            {"uptime_seconds", "[]"}};
  for (const auto& [key, value] : impossible)
    EXPECT_FALSE(certificate_from(small(key, value))) << key << " " << value;
  const std::pair<const char*, const char*> possible[] = {{"number", "9007199254740992"},
                                                          {"exit_code", "255"},
                                                          {"signal", R"("SIGKILL")"},
                                                          {"ended", "4e9"},
                                                          {"uptime_seconds", "3e8"}};
  for (const auto& [key, value] : possible)
    EXPECT_TRUE(certificate_from(small(key, value))) << key << " " << value;
}

}  // namespace
}  // namespace poolwarden::journal
