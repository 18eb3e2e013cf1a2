// What is read about the end of a worker: files of /proc, the kernel's log, complaints.

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "process/backtrace.h"
#include "process/core_file.h"
#include "process/core_pattern.h"
#include "process/kernel_log.h"
#include "process/last_status.h"
#include "process/library_search.h"
#include "process/listeners_in_proc.h"
#include "process/post_mortem_text.h"
#include "process/thread_states.h"

namespace poolwarden::process {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(ThreadStates, AreReadFromWhatTheKernelSays) {
  const auto thread =
      read_thread(18049, "18049 (sleep) S 18047 18047 26427 0", "hrtimer_nanosleep", "230 0x0 0x0",
                  "[<0>] hrtimer_nanosleep+0x74/0xf0\n[<0>] common_nsleep+0x30/0x60\n");
  EXPECT_EQ(thread.tid, 18049);
  EXPECT_EQ(thread.state, 'S');
  EXPECT_EQ(thread.name, "sleep");
  EXPECT_EQ(thread.waits_in, "hrtimer_nanosleep");
  EXPECT_THAT(thread.kernel_stack, ElementsAre("hrtimer_nanosleep", "common_nsleep"));
}

TEST(ThreadStates, NameTheCallWhereTheKernelHidesThePlace) {
  EXPECT_EQ(read_thread(1, "1 (a) S 1", "0", "202 0x0", "").waits_in, "futex");
  EXPECT_EQ(read_thread(1, "1 (a) R 1", "0", "running\n", "").waits_in, "");
}

TEST(ThreadStates, TakeAnyName) {
  const auto thread = read_thread(1, "1 (a) Z (\n) D 1 2", "", "", "");
  EXPECT_EQ(thread.name, "a) Z (\\n");
  EXPECT_EQ(thread.state, 'D');
  EXPECT_EQ(read_thread(1, "rubbish", "", "", "").state, '?');
}

constexpr const char* kLimits =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max cpu time              1                    unlimited            seconds   \n"
    "Max core file size        0                    4096                 bytes     \n";

TEST(Limits, AreFoundByTheirName) {
  const auto cpu = find_limit(kLimits, "Max cpu time");
  ASSERT_TRUE(cpu);
  EXPECT_EQ(cpu->soft, 1u);
  EXPECT_EQ(cpu->hard, std::nullopt);
  EXPECT_EQ(find_limit(kLimits, "Max core file size")->hard, 4096u);
  EXPECT_FALSE(find_limit(kLimits, "Max core"));
  EXPECT_FALSE(find_limit("", "Max cpu time"));
}

TEST(KernelLog, TellsWhereAFaultWas) {
  const auto line = read_fault_line(
      "die[4711]: segfault at 10 ip 000055d2b1e4da10 sp 00007ffdd857ac40 error 6 in "
      "die[24da,5644d1b1e000+1000] likely on CPU 1 (core 1, socket 0)\n SUBSYSTEM=x\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->pid, 4711);
  EXPECT_EQ(line->fault.address, 0x10u);
  EXPECT_EQ(line->fault.program_counter, 0x55d2b1e4da10u);
  EXPECT_EQ(line->fault.stack_pointer, 0x7ffdd857ac40u);
  EXPECT_FALSE(line->fault.is_stack_exhausted);
}

TEST(KernelLog, TellsAStackThatHasRunOut) {
  const auto at = [](const std::string& address, const std::string& error) {
    return read_fault_line("die[1]: segfault at " + address +
                           " ip 0000555500000000 sp 00007ffc00001000 error " + error + " in die[1]")
        ->fault.is_stack_exhausted;
  };
  EXPECT_TRUE(at("7ffc00000ff8", "6"));
  EXPECT_TRUE(at("7ffc00001000", "4"));
  EXPECT_FALSE(at("7ffc00000ff8", "7")) << "the page is there: it may not be written to";
  EXPECT_FALSE(at("7ffb00000ff8", "6")) << "far from the stack pointer";
  EXPECT_FALSE(at("7ffc00002000", "6")) << "an overrun upwards ends so, too";
}

TEST(KernelLog, TellsOfTrapsAndOfSeccomp) {
  const auto trap =
      read_fault_line("traps: die[42] trap divide error ip:5644d1b1e4da sp:7ffdd857ac40 error:0");
  ASSERT_TRUE(trap);
  EXPECT_EQ(trap->pid, 42);
  EXPECT_EQ(trap->fault.program_counter, 0x5644d1b1e4dau);
  const auto seccomp = read_fault_line(
      "audit: type=1326 audit(1795399319.552:2): auid=4294967295 uid=0 gid=0 ses=4294967295 "
      "pid=16017 comm=\"forbid\" exe=\"/w/forbid\" sig=31 arch=c000003e syscall=110 compat=0 "
      "ip=0x7f819c064829 code=0x80000000");
  ASSERT_TRUE(seccomp);
  EXPECT_EQ(seccomp->pid, 16017);
  EXPECT_EQ(seccomp->fault.syscall_number, 110);
}

// A socket of records in place of /dev/kmsg.
struct LogOfRecords : testing::Test {
  LogOfRecords() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    kernel.reset(ends[0]);
    log = KernelLog(loop::UniqueFd(ends[1]));
  }
  void say(const std::string& record) const {
    EXPECT_EQ(::send(kernel.get(), record.data(), record.size(), 0),
              static_cast<ssize_t>(record.size()));
  }

  loop::UniqueFd kernel;
  KernelLog log;
};

TEST_F(LogOfRecords, TellsNothingOfAnEarlierOwnerOfThePid) {
  say("6,70,1000,-;old[4711]: segfault at 10 ip 1 sp 2 error 4 in old[1]\n");
  say("6,71,1001,-;eth0: link up\n");
  const std::uint64_t start = log.end();
  EXPECT_EQ(start, 71u);
  EXPECT_FALSE(log.take(4711, start));
  say("6,72,1002,-;new[4711]: segfault at 20 ip 1 sp 2 error 4 in new[1]\n");
  const auto fault = log.take(4711, start);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->address, 0x20u);
  EXPECT_FALSE(log.take(4711, start)) << "once";
}

TEST(KernelLog, HasNoAddressOfAGeneralProtectionFault) {
  const auto line = read_fault_line(
      "traps: python3[42] general protection fault ip:7f41b1e4da sp:7ffdd857ac40 error:0 in "
      "libc.so.6[7f4000000000+156000]");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->fault.address, std::nullopt);
  EXPECT_EQ(line->fault.si_code, SI_KERNEL);
  EXPECT_EQ(read_fault_line("traps: die[42] trap divide error ip:5 sp:7 error:0")->fault.si_code,
            std::nullopt);
}

TEST(KernelLog, CannotBeMadeToSpeakOfOthersByAName) {
  const auto spoofed = read_fault_line("traps: a[5] trap x[4711] trap int3 ip:10 sp:20 error:0");
  EXPECT_FALSE(spoofed && spoofed->pid == 5);
  const auto named = read_fault_line("a[5]: segfault[4711]: segfault at 10 ip 1 sp 2 error 4");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->pid, 4711);
  const auto in_file = read_fault_line(
      "die[4711]: segfault at 10 ip 1 sp 2 error 4 in x[5]: segfault at 0 ip 0 sp 0 error 4[1]");
  ASSERT_TRUE(in_file);
  EXPECT_EQ(in_file->pid, 4711);
  EXPECT_FALSE(read_fault_line("br-2af9489bd8fd: port 3(veth) entered forwarding state"));
  EXPECT_FALSE(read_fault_line(""));
}

ElfSegment memory(std::uint64_t begin, std::uint64_t end, std::uint32_t flags = PF_R | PF_W) {
  return {PT_LOAD, flags, 0, begin, 0, end - begin};
}

TEST(Stack, HasRunOutRightBelowItself) {
  const std::vector<ElfSegment> main_thread = {memory(0x400000, 0x500000),
                                               memory(0x7f0000000000, 0x7f0000800000)};
  EXPECT_TRUE(is_below_stack(main_thread, 0x7effffffffff, 0x7f0000000000));
  EXPECT_TRUE(is_below_stack(main_thread, 0x7efffffff000, 0x7efffffff008));
  EXPECT_FALSE(is_below_stack(main_thread, 0x10, 0x7f0000400000)) << "a null pointer";
  EXPECT_FALSE(is_below_stack(main_thread, 0x7effffffffff, 0x7f0000700000))
      << "there is stack left";
  EXPECT_FALSE(is_below_stack(main_thread, 0x7f0000000010, 0x7f0000000000)) << "it is mapped";
  EXPECT_FALSE(is_below_stack(main_thread, 0x7f0000900000, 0x7f0000000000)) << "nothing is above";
  const std::vector<ElfSegment> thread = {memory(0x7f0000000000, 0x7f0000001000, 0),
                                          memory(0x7f0000001000, 0x7f0000801000)};
  EXPECT_TRUE(is_below_stack(thread, 0x7f0000000ff8, 0x7f0000000ff8)) << "its guard page";
  EXPECT_FALSE(is_below_stack({}, 1, 1));
}

CoreOwner owner() {
  CoreOwner made;
  made.pid = 42;
  made.signal = 11;
  made.directory = "/srv/app";
  return made;
}

TEST(CorePattern, NamesTheFile) {
  EXPECT_EQ(core_file_pattern({"core", false}, owner()), "/srv/app/core");
  EXPECT_EQ(core_file_pattern({"core", true}, owner()), "/srv/app/core.42");
  EXPECT_EQ(core_file_pattern({"core.%p", true}, owner()), "/srv/app/core.42");
  EXPECT_EQ(core_file_pattern({"/var/crash/%e.%p.%s.%t", false}, owner()), "/var/crash/*.42.11.*");
  EXPECT_EQ(core_file_pattern({"/x/100%%[a]%", false}, owner()), "/x/100%\\[a]");
}

TEST(CorePattern, NamesWhoGetsItInsteadOfAFile) {
  EXPECT_THAT(describe_core_receiver({"|/usr/share/apport/apport -p%p", false}),
              HasSubstr("pipes it to /usr/share/apport/apport"));
  EXPECT_THAT(describe_core_receiver({"@@/run/coredump.socket", false}),
              HasSubstr("the socket /run/coredump.socket"));
  EXPECT_EQ(describe_core_receiver({"core", false}), "");
}

constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4711 1 0000 100 0 0 10 0\n"
    "   1: 0100007F:1F90 0100007F:8EA2 01 00000000:00000000 00:00000000 00000000     0        0 "
    "4712 1 0000 20 4 30 10 -1\n";

TEST(Listeners, AreFoundInTheKernelsTables) {
  EXPECT_THAT(listening_inodes(kTcp), ElementsAre(Pair(std::uint16_t{8080}, ElementsAre(4711u))));
  EXPECT_THAT(listening_inodes(""), IsEmpty());
  const char* sockets =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 99 /run/app sock\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 98 /run/app sock\n";
  EXPECT_THAT(listening_inodes(sockets, std::string("/run/app sock")), ElementsAre(99u));
  EXPECT_THAT(listening_inodes(sockets, std::string("sock")), IsEmpty()) << "no more than a part";
}

std::optional<std::vector<std::uint16_t>> ports(const std::string& line) {
  return ports_in_use({{true, line}});
}

TEST(PortsInUse, AreReadFromComplaints) {
  EXPECT_THAT(*ports("listen tcp :8080: bind: address already in use"), ElementsAre(8080));
  EXPECT_THAT(*ports("Error: listen EADDRINUSE: address already in use :::3000"),
              ElementsAre(3000));
  EXPECT_THAT(ports("2026/11/23 02:22:26 [emerg] bind() to 0.0.0.0:80 failed (98: Address already "
                    "in use)")
                  ->front(),
              80);
  EXPECT_THAT(*ports("Connection in use: ('127.0.0.1', 8000)"), ElementsAre(8000));
  EXPECT_THAT(*ports("Port 5432 is already in use"), ElementsAre(5432));
  EXPECT_THAT(*ports("OSError: [Errno 98] Address already in use"), IsEmpty());
  EXPECT_EQ(ports("listening on :8080"), std::nullopt);
  EXPECT_THAT(*ports("port 99999 in use"), IsEmpty());
}

TEST(LoaderComplaint, IsReadFromGlibcAndMusl) {
  const auto glibc = read_loader_complaint(
      "hello\n./app: error while loading shared libraries: libfoo.so.1: cannot open shared object "
      "file: No such file or directory\n");
  ASSERT_EQ(glibc.size(), 1u);
  EXPECT_EQ(glibc[0].object, "./app");
  EXPECT_EQ(glibc[0].needed, "libfoo.so.1");
  const auto musl = read_loader_complaint(
      "Error loading shared library libfoo.so.1: No such file or directory (needed by /app)\n");
  ASSERT_EQ(musl.size(), 1u);
  EXPECT_EQ(musl[0].object, "/app");
  EXPECT_THAT(read_loader_complaint("sh: 1: app: not found"), IsEmpty());
}

// A reader of bytes in memory.
ReadAt bytes_of(std::string bytes) {
  return [bytes = std::move(bytes)](std::uint64_t offset, std::size_t size) {
    return offset >= bytes.size() ? std::string() : bytes.substr(offset, size);
  };
}

TEST(ElfFile, ThatIsDamagedIsAnErrorOrEmpty) {
  EXPECT_FALSE(read_elf(bytes_of("")));
  EXPECT_FALSE(read_elf(bytes_of("#!/bin/sh\n")));
  std::string whole;
  const ReadAt self = file_reader("/proc/self/exe");
  ASSERT_TRUE(self);
  whole = self(0, 4096);
  ASSERT_TRUE(read_elf(bytes_of(whole)));
  // Cut anywhere, and with any byte of its headers turned, it is read to an end.
  for (std::size_t size = 0; size < 1024; ++size) (void)read_elf(bytes_of(whole.substr(0, size)));
  for (std::size_t at = 0; at < 1024; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    (void)read_elf(bytes_of(damaged));
    (void)read_core(bytes_of(damaged));
  }
}

TEST(ElfFile, OfThisTestSaysWhatItNeeds) {
  const auto self = read_elf("/proc/self/exe");
  ASSERT_TRUE(self);
  EXPECT_THAT(self->needed, testing::Contains(HasSubstr("libc.so")));
  EXPECT_THAT(self->interpreter, HasSubstr("ld-linux"));
  EXPECT_TRUE(fit(self->header, self->header));
  EXPECT_FALSE(read_core(file_reader("/proc/self/exe"))) << "it is no core file";
}

TEST(ElfFile, OfTheOtherByteOrderAndClassIsRead) {
  // The header of a big-endian program of 32 bits for PowerPC, without segments.
  std::string bytes(
      "\x7f"
      "ELF\x01\x02\x01",
      7);
  bytes.resize(sizeof(Elf32_Ehdr), '\0');
  bytes[17] = ET_EXEC;
  bytes[19] = EM_PPC;
  bytes.resize(64, '\0');
  const auto file = read_elf(bytes_of(bytes));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->header.type, ET_EXEC);
  EXPECT_EQ(machine_name(file->header), "ppc");
}

TEST(PostMortemText, IsReadAsItWasWritten) {
  diagnosis::Evidence found;
  found.fault.emplace();
  found.fault->si_code = 1;
  found.fault->address = 0x10;
  found.fault->stack_pointer = 0x7ffd0000;
  found.fault->program_counter = 0x5555;
  found.fault->is_stack_exhausted = true;
  found.fault->sender_pid = 7;
  found.core = diagnosis::CoreFile{"/srv/a\tb", 4096, "it was cut off"};
  found.loader = {{"/app", "libfoo.so", "", ""}, {"/app", "", "/app", "aarch64"}};
  found.backtrace = {"#0  main () at a.c:3\n#1  fake", std::string(1000, 'x')};
  found.why_no_backtrace = "gdb shows no frames";
  found.port_holder = diagnosis::PortHolder{8080, 99, "ngi\tnx"};
  const diagnosis::Evidence read = read_post_mortem(post_mortem_text(found));
  ASSERT_TRUE(read.port_holder);
  EXPECT_EQ(read.port_holder->port, 8080);
  EXPECT_EQ(read.port_holder->pid, 99);
  EXPECT_EQ(read.port_holder->name, "ngi\\tnx");
  ASSERT_TRUE(read.fault);
  EXPECT_EQ(read.fault->si_code, 1);
  EXPECT_EQ(read.fault->address, 0x10u);
  EXPECT_EQ(read.fault->stack_pointer, 0x7ffd0000u);
  EXPECT_EQ(read.fault->program_counter, 0x5555u);
  EXPECT_TRUE(read.fault->is_stack_exhausted);
  EXPECT_EQ(read.fault->sender_pid, 7);
  EXPECT_EQ(read.fault->syscall_number, std::nullopt);
  ASSERT_TRUE(read.core);
  EXPECT_EQ(read.core->path, "/srv/a\\tb") << "escaped: it may hold anything";
  EXPECT_EQ(read.core->bytes, 4096u);
  EXPECT_EQ(read.core->why_none, "it was cut off");
  ASSERT_EQ(read.loader.size(), 2u);
  EXPECT_EQ(read.loader[1].object, "/app");
  EXPECT_EQ(read.loader[1].needed, "");
  EXPECT_EQ(read.loader[1].machine, "aarch64");
  ASSERT_EQ(read.backtrace.size(), 2u);
  EXPECT_EQ(read.backtrace[0], "#0  main () at a.c:3\\n#1  fake") << "one line stays one";
  EXPECT_LE(read.backtrace[1].size(), 512u);
  EXPECT_EQ(read.why_no_backtrace, found.why_no_backtrace);
}

TEST(PostMortemText, IsBoundedAlsoWhereItIsEscaped) {
  diagnosis::Evidence found;
  found.backtrace = {std::string(508, 'x') + "\x90\u0251\u0251", std::string(1000, '\x01')};
  const std::string once = post_mortem_text(found);
  const diagnosis::Evidence read = read_post_mortem(once);
  ASSERT_EQ(read.backtrace.size(), 2u);
  for (const std::string& frame : read.backtrace) EXPECT_LE(frame.size(), 512u);
  EXPECT_EQ(post_mortem_text(read), once);
}

TEST(PostMortemText, HasNoCodeWhereThereIsNone) {
  diagnosis::Evidence found;
  found.fault = diagnosis::FaultSite{.stack_pointer = 16};
  EXPECT_EQ(read_post_mortem(post_mortem_text(found)).fault->si_code, std::nullopt);
  found.fault->si_code = SI_TKILL;
  EXPECT_EQ(read_post_mortem(post_mortem_text(found)).fault->si_code, SI_TKILL);
}

TEST(PostMortemText, HasNoAddressWhereThereIsNone) {
  diagnosis::Evidence found;
  found.fault = diagnosis::FaultSite{.si_code = SI_KERNEL, .stack_pointer = 16};
  const auto read = read_post_mortem(post_mortem_text(found)).fault;
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, std::nullopt);
  EXPECT_EQ(read->stack_pointer, 16u);
}

TEST(PostMortemText, ThatIsRubbishSaysNothing) {
  const auto read = read_post_mortem("rubbish\n\n\t\t\nfram\tx\n");
  EXPECT_FALSE(read.fault || read.core);
  EXPECT_THAT(read.backtrace, IsEmpty());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "frame\tx\nloader\ta\tb\tc\td\n";
  EXPECT_LE(read_post_mortem(many).backtrace.size(), 64u);
  EXPECT_LE(read_post_mortem(many).loader.size(), 32u);
}

TEST(Backtrace, IsReadFromWhatTheToolsWrite) {
  EXPECT_THAT(
      read_gdb_frames("[New LWP 4711]\nCore was generated by `/w/die segfault'.\n"
                      "#0  touch_nothing () at die.cpp:40\n40\tcode\n#0  touch_nothing () "
                      "at die.cpp:40\n#1  0x5555 in main () at die.cpp:150\n"),
      ElementsAre("#0  touch_nothing () at die.cpp:40", "#1  0x5555 in main () at die.cpp:150"));
  EXPECT_THAT(read_eu_stack_frames("PID 4711 - core\nTID 4711:\n#0  0x1 touch_nothing\n#1  0x2 "
                                   "main\nTID 4712:\n#0  0x3 pause\n"),
              ElementsAre("#0  0x1 touch_nothing", "#1  0x2 main"));
}

}  // namespace
}  // namespace poolwarden::process
