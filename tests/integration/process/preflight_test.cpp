// What stood in the way of an exec that failed with ENOENT, told of real files.

#include "process/preflight.h"

#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "loop/unique_fd.h"
#include "process/elf_file.h"

namespace poolwarden::process {
namespace {

using diagnosis::Obstacle;
using testing::HasSubstr;

constexpr std::uint64_t kFarFromTheBeginning = 8192;

std::string little_endian(std::uint64_t number, std::size_t bytes) {
  std::string text;
  for (; text.size() < bytes; number >>= 8) text += static_cast<char>(number);
  return text;
}

// A program of one segment, which names its loader.
std::string program_of(bool is_64, std::uint16_t machine, const std::string& loader,
                       std::optional<std::uint64_t> segments_at = std::nullopt) {
  const std::size_t word = is_64 ? 8 : 4;
  const std::uint64_t header = is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
  const std::uint64_t segment = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  std::string bytes = std::string(ELFMAG) + (is_64 ? "\x02" : "\x01") + "\x01\x01";
  bytes.resize(EI_NIDENT, '\0');
  bytes += little_endian(ET_DYN, 2) + little_endian(machine, 2) + little_endian(EV_CURRENT, 4);
  bytes += little_endian(0, word) + little_endian(segments_at.value_or(header), word) +
           little_endian(0, word) + little_endian(0, 4);
  for (const std::uint64_t half : {header, segment, std::uint64_t{1}})
    bytes += little_endian(half, 2);
  bytes.resize(header, '\0');
  bytes += little_endian(PT_INTERP, 4) + (is_64 ? little_endian(PF_R, 4) : "");
  bytes += little_endian(kFarFromTheBeginning, word) + little_endian(0, 2 * word);
  bytes += little_endian(loader.size() + 1, word) + little_endian(loader.size() + 1, word);
  bytes += (is_64 ? "" : little_endian(PF_R, 4)) + little_endian(1, word);
  bytes.resize(kFarFromTheBeginning, '\0');
  return bytes + loader + '\0';
}

struct ExecRefused : testing::Test {
  ExecRefused() { std::filesystem::create_directories(folder); }
  ~ExecRefused() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string& name, const std::string& bytes) const {
    const std::string path = folder + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    ::chmod(path.c_str(), 0755);
    return path;
  }

  static int errno_of_exec(const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
      char* const words[] = {const_cast<char*>(path.c_str()), nullptr};
      ::execve(path.c_str(), words, environ);
      ::_exit(errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }

  static ExecFailure explain(const std::string& path) {
    return explain_exec_failure(path, ENOENT, {});
  }

  std::string folder = testing::TempDir() + "/preflight-" + std::to_string(::getpid());
  std::uint16_t own_machine = read_elf("/proc/self/exe")->header.machine;
};

TEST_F(ExecRefused, ByTheLoaderOfAnotherLibc) {
  const std::string path = file("musl", program_of(true, own_machine, "/lib/ld-none.so.1"));
  EXPECT_EQ(errno_of_exec(path), ENOENT);
  const ExecFailure told = explain(path);
  EXPECT_EQ(told.subject, path +
                              " (its loader /lib/ld-none.so.1 does not exist: it was built for "
                              "another libc)");
  EXPECT_EQ(told.obstacle, Obstacle::MissingLoader);
}

TEST_F(ExecRefused, ByTheLoaderOfAnotherMachine) {
  const std::string path = file("i386", program_of(false, EM_386, "/lib/ld-none.so.2"));
  EXPECT_THAT(errno_of_exec(path), testing::AnyOf(ENOENT, ENOEXEC)) << "as the kernel is built";
  const ExecFailure told = explain(path);
  EXPECT_EQ(told.subject, path +
                              " (its loader /lib/ld-none.so.2 does not exist: no C library for "
                              "i386 is installed)");
  EXPECT_EQ(told.obstacle, Obstacle::MissingLoader);
}

TEST_F(ExecRefused, ByTheLoaderOfAnInterpreterThatIsThere) {
  const std::string musl = file("musl", program_of(true, own_machine, "/lib/ld-none.so.1"));
  const std::string inner = file("inner", "#!" + musl + "\n");
  const std::string script = file("script", "#!" + inner + " -u\n");
  EXPECT_EQ(errno_of_exec(script), ENOENT);
  const ExecFailure told = explain(script);
  EXPECT_THAT(told.subject, HasSubstr("of its interpreter " + inner + ": of its interpreter " +
                                      musl + ": its loader /lib/ld-none.so.1 does not exist"));
  EXPECT_EQ(told.obstacle, Obstacle::MissingLoader);
}

TEST_F(ExecRefused, ByACarriageReturnOnlyWhereItIsPartOfTheName) {
  const std::string windows = file("windows", "#!/bin/sh\r\nexit\r\n");
  EXPECT_EQ(errno_of_exec(windows), ENOENT);
  EXPECT_THAT(explain(windows).subject,
              HasSubstr("/bin/sh\\r does not exist: the file has Windows"));
  const std::string missing = file("missing", "#!/no/such/python\n");
  EXPECT_THAT(explain(missing).subject,
              HasSubstr("its interpreter /no/such/python does not exist"));
  // As an argument it is passed on: whatever is missing, it is not this.
  EXPECT_EQ(explain(file("argument", "#!/bin/sh -e\r\n")).subject, folder + "/argument");
}

TEST_F(ExecRefused, ByInterpretersThatNameEachOtherItIsToldNoFurther) {
  const std::string round = folder + "/round";
  file("round", "#!" + round + "\n");
  EXPECT_EQ(errno_of_exec(round), ELOOP);
  EXPECT_EQ(explain(round).subject, round);
}

TEST_F(ExecRefused, ByWhatIsDamagedNothingIsMadeUp) {
  for (const std::uint64_t at : {~std::uint64_t{7}, ~std::uint64_t{0}, std::uint64_t{1} << 40}) {
    const std::string path =
        file("damaged", program_of(true, own_machine, "/lib/ld-none.so.1", at));
    EXPECT_EQ(explain(path).subject, path) << at;
  }
}

// Whoever looks is root, and the file is somebody else's: the open of a device may do anything.
TEST_F(ExecRefused, ByAFileThatIsNoRegularOneWhichIsNotOpened) {
  const std::string fifo = folder + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0755), 0);
  const loop::UniqueFd opens(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(opens.get(), fifo.c_str(), IN_OPEN), 0);
  EXPECT_EQ(explain(fifo).subject, fifo);
  EXPECT_EQ(explain(file("script", "#!" + fifo + "\n")).subject, folder + "/script");
  inotify_event event{};
  EXPECT_LT(::read(opens.get(), &event, sizeof event), 0) << "somebody has opened it";
}

}  // namespace
}  // namespace poolwarden::process
