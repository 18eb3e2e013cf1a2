// The rows of the table behind `explain`: data only.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "diagnosis/diagnosis.h"

namespace poolwarden::diagnosis {

// In each row, "; " stands between causes.
struct ExitCodeRow {
  int code;
  std::string_view who;   // whose meaning it is: "gunicorn", "sysexits.h"; empty: the usual one
  std::string_view name;  // "EX_CONFIG"; most have none
  std::string_view meaning;
  std::string_view causes;
  std::string_view next_step;
};

struct SignalRow {
  int number;
  std::string_view meaning;
  std::string_view causes;
  std::string_view next_step;
  Cause cause;
};

struct WindowsRow {
  std::uint32_t code;
  std::string_view name;
  std::string_view meaning;
  std::string_view causes;
  std::string_view linux_analogue;
  std::string_view next_step;
  Cause cause;  // Unknown: it takes more to tell
};

std::span<const ExitCodeRow> exit_code_rows();
std::span<const SignalRow> signal_rows();  // those that have a name; real-time ones have none
std::span<const WindowsRow> windows_rows();

}  // namespace poolwarden::diagnosis
