// `explain`: every code and signal has an answer, and those that operators meet have the right one.

#include "diagnosis/status_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "diagnosis/diagnosis.h"
#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

void expect_whole(const Explanation& told, const std::string& asked) {
  EXPECT_THAT(told.title, Not(IsEmpty())) << asked;
  EXPECT_THAT(told.meaning, Not(IsEmpty())) << asked;
  EXPECT_THAT(told.causes, Not(IsEmpty())) << asked;
  EXPECT_THAT(told.causes, Not(Contains(IsEmpty()))) << asked;
  EXPECT_THAT(told.next_step, Not(IsEmpty())) << asked;
}

std::set<std::string> words_of_causes() {
  std::set<std::string> words;
  for (int i = 0; i < kCauses; ++i) words.insert(std::string(name(static_cast<Cause>(i))));
  return words;
}

void expect_answer(const std::string& asked) {
  static const std::set<std::string> words = words_of_causes();
  const auto all = explain(asked);
  ASSERT_THAT(all, Not(IsEmpty())) << asked;
  for (const Explanation& told : all) {
    expect_whole(told, asked);
    EXPECT_TRUE(told.diagnosis.empty() || words.contains(told.diagnosis)) << told.diagnosis;
  }
}

TEST(Explain, HasAnAnswerForEveryExitCode) {
  for (int code = 0; code <= 255; ++code) expect_answer(std::to_string(code));
}

TEST(Explain, HasAnAnswerForEverySignal) {
  for (int number = 1; number <= 64; ++number) {
    const std::string negative = std::to_string(-number);
    expect_answer(negative);
    expect_answer(std::to_string(128 + number));
    if (number >= 34) {
      expect_answer("SIGRTMIN+" + std::to_string(number - 34));
    } else if (number < 32) {
      expect_answer(signal_name(number));
    }
  }
}

TEST(Explain, HasAnAnswerForEveryCodeOfTheWindowsTable) {
  for (const WindowsRow& row : windows_rows()) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08X", row.code);
    expect_answer(text);
    const Explanation first = explain(text).front();
    EXPECT_EQ(first.meaning, row.meaning) << text;
    EXPECT_EQ(first.linux_analogue, row.linux_analogue) << text;
    EXPECT_THAT(first.linux_analogue, Not(IsEmpty())) << text;
  }
}

TEST(Explain, HasAnAnswerForEveryNameOfTheWindowsTable) {
  for (const WindowsRow& row : windows_rows()) {
    if (row.name.empty()) continue;
    const auto all = explain(row.name);
    ASSERT_THAT(all, Not(IsEmpty())) << row.name;
    EXPECT_EQ(all.front().meaning, row.meaning) << row.name;
  }
}

struct Row {
  const char* asked;
  const char* title;  // of the first answer
  const char* diagnosis;
};

TEST(Explain, NamesTheLikeliestMeaningFirst) {
  const Row rows[] = {
      {"0", "exit code 0, EXIT_SUCCESS", "exit_zero"},
      {"1", "exit code 1, EXIT_FAILURE", "exit_nonzero"},
      {"2", "exit code 2", "exit_nonzero"},
      {"3", "exit code 3, gunicorn", "exit_nonzero"},
      {"42", "exit code 42", "exit_nonzero"},
      {"78", "exit code 78, sysexits.h, EX_CONFIG", "config_error"},
      {"ex_config", "exit code 78, sysexits.h, EX_CONFIG", "config_error"},
      {"126", "exit code 126", "exec_not_executable"},
      {"127", "exit code 127", ""},
      {"137", "exit code 137", ""},
      {"139", "exit code 139", "exit_nonzero"},
      {"203", "exit code 203, systemd, EXEC", "exit_nonzero"},
      {"255", "exit code 255", "exit_255"},
      {"-1", "exit code 255", "exit_255"},
      {"-11", "-11 of Python's subprocess and the like: SIGSEGV (signal 11)", "segfault"},
      {"SIGSEGV", "SIGSEGV (signal 11)", "segfault"},
      {"segv", "SIGSEGV (signal 11)", "segfault"},
      {" SigKill ", "SIGKILL (signal 9)", "killed_external"},
      {"iot", "SIGABRT (signal 6)", "abort"},
      {"SIGRTMIN+3", "SIGRTMIN+3 (signal 37)", "killed_external"},
      {"rtmax-1", "SIGRTMIN+29 (signal 63)", "killed_external"},
      {"0xc0000005", "0xc0000005 of Windows, STATUS_ACCESS_VIOLATION", "segfault"},
      {"3221225477", "0xc0000005 of Windows, STATUS_ACCESS_VIOLATION", "segfault"},
      {"-1073741819", "0xc0000005 of Windows, STATUS_ACCESS_VIOLATION", "segfault"},
      {"status_stack_overflow", "0xc00000fd of Windows, STATUS_STACK_OVERFLOW", "stack_overflow"},
      {"0x80", "0x80 of Windows, ERROR_WAIT_NO_CHILDREN", "exec_failed"},
      {"0xff", "0xff of Windows", "exit_255"},
      {"0x0", "0x0 of Windows, ERROR_SUCCESS", "exit_zero"},
      {"0xFFFFFFFF", "0xffffffff of Windows", "loader_failed"},
      {"0xe0434352", "0xe0434352 of Windows, CLR exception", "abort"},
      {"0x800703e9", "0x800703e9 of Windows, HRESULT of ERROR_STACK_OVERFLOW", "stack_overflow"},
      {"0x8b", "exit code 139", "exit_nonzero"},
      {"0x80070999", "0x80070999 of Windows", ""},
      {"35584", "35584 as a raw wait status: exit code 139", "exit_nonzero"},
      {"0x8b00", "0x8b00 of Windows", ""},
  };
  for (const Row& row : rows) {
    const auto all = explain(row.asked);
    ASSERT_THAT(all, Not(IsEmpty())) << row.asked;
    EXPECT_EQ(all.front().title, row.title) << row.asked;
    EXPECT_EQ(all.front().diagnosis, row.diagnosis) << row.asked;
  }
}

TEST(Explain, TellsTheSignalBehindAShellsCode) {
  const auto all = explain("139");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_THAT(all[0].meaning, HasSubstr("SIGSEGV (signal 11): 128 + 11"));
  EXPECT_EQ(all[1].title, "SIGSEGV (signal 11)");
  EXPECT_EQ(all[1].diagnosis, "segfault");
}

TEST(Explain, OffersWhatElseANumberMayStandFor) {
  const auto nine = explain("9");
  EXPECT_THAT(nine, Contains(Field(&Explanation::title, "exit code 9, Node.js")));
  EXPECT_THAT(nine, Contains(Field(&Explanation::title, "SIGKILL (signal 9)")));
  const auto minus_one = explain("-1");
  EXPECT_THAT(minus_one, Contains(Field(&Explanation::title, "0xffffffff of Windows")));
  EXPECT_THAT(minus_one, Contains(Field(&Explanation::title, HasSubstr("SIGHUP (signal 1)"))));
  const auto hex = explain("0x80");
  EXPECT_THAT(hex, Contains(Field(&Explanation::title, "exit code 128")));
  EXPECT_EQ(hex[0].title, "0x80 of Windows, ERROR_WAIT_NO_CHILDREN");
  const auto decimal = explain("128");
  EXPECT_EQ(decimal[0].title, "exit code 128");
  EXPECT_THAT(decimal, Contains(Field(&Explanation::title, hex[0].title)));
}

TEST(Explain, SaysWhatRemainsOfACodeThatIsTooLarge) {
  const auto violation = explain("0xc0000005");
  ASSERT_THAT(violation, SizeIs(2));
  EXPECT_THAT(violation[1].title, StartsWith("3221225477 given to exit(): exit code 5"));
  EXPECT_THAT(violation[1].meaning, HasSubstr("lowest 8 bits"));
  EXPECT_THAT(explain("35584"),
              Contains(Field(&Explanation::title, "35584 as a raw wait status: exit code 139")));
}

TEST(Explain, SaysNothingOfWhatIsNoCode) {
  for (const char* asked : {"", " ", "hello", "SIG", "0x", "-", "--1", "12x", "0xg", "4294967296",
                            "99999999999999999999", "-2147483649", "SIGRTMIN+31", "RTMAX+1",
                            "RTMIN-1", "RTMIN+x", "RTMIN++2147483647", "RTMAX-9999999999"}) {
    EXPECT_THAT(explain(asked), IsEmpty()) << asked;
  }
}

TEST(Explain, SplitsTheCausesOfARow) {
  EXPECT_THAT(explain("SIGFPE").front().causes,
              testing::ElementsAre("an integer division by zero", "an overflow of a division"));
}

TEST(StatusRows, NameEachSignalAndEachWindowsCodeOnce) {
  std::set<int> signals;
  for (const SignalRow& row : signal_rows()) EXPECT_TRUE(signals.insert(row.number).second);
  EXPECT_THAT(signals, SizeIs(31));
  std::set<std::uint32_t> codes;
  for (const WindowsRow& row : windows_rows()) EXPECT_TRUE(codes.insert(row.code).second);
  std::set<std::pair<int, std::string_view>> exits;
  for (const ExitCodeRow& row : exit_code_rows())
    EXPECT_TRUE(exits.insert({row.code, row.who}).second) << row.code << row.who;
}

}  // namespace
}  // namespace poolwarden::diagnosis
