// Writes log lines from a thread of its own: who logs never waits. Lines that the reader does not
// take in time, and the oldest of too many, are dropped and counted.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace poolwarden::journal {

class LogWriter {
 public:
  // `fd` stays the caller's.
  explicit LogWriter(int fd);
  ~LogWriter();  // writes what is left, for about a second at most

  void write(std::string_view line);
  std::uint64_t dropped() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace poolwarden::journal
