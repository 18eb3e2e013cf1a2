// Certificates on the disk: lines of JSON, appended by a thread of its own, so that no disk is
// waited for. Two files, of which the older one goes when the newer one is full. A disk that does
// not take a line gets it later, as long as few of them wait.
//
// A line that begins with {"number": has a number. Where the directory could only be had later, and
// has numbers already, those of this process go on after them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::journal {

struct CertificateFileBounds {
  std::uint64_t file_bytes = 4 * 1024 * 1024;  // of each of the two
  std::size_t waiting_lines = 500;             // beyond, the oldest one is lost on the disk
  std::size_t waiting_bytes = 4 * 1024 * 1024;
};

class CertificateFile {
 public:
  // Whether lines get to the disk: told once when they do not any more, with why, and once when
  // they do again, with an empty text. On the writing thread; must not wait.
  using OnTrouble = std::function<void(const std::string& why)>;

  // The lines that are there, oldest first. `trouble`: what could not be read, errno told.
  struct Earlier {
    std::vector<std::string> lines;
    std::string trouble;
  };
  // Makes `directory` if it is missing, but not what it is in, and holds it for as long as the
  // descriptor is open. Errors: EWOULDBLOCK, another process holds it; those of mkdir(2), open(2).
  static Result<loop::UniqueFd> claim(const std::string& directory);

  // A directory or file that is not there has no lines. Reads up to twice `file_bytes` of each
  // file.
  static Earlier read(const std::string& directory, const CertificateFileBounds& bounds = {});

  struct Claim {
    loop::UniqueFd directory;  // by claim(); where that failed, it is tried again with each line
    std::uint64_t last_number = 0;  // that is on the disk
    std::string trouble;            // why lines do not get there, if that was told already
  };
  struct Opened {
    Claim claim;
    Earlier earlier;
  };
  // claim() and read(), and whether the file can be written to. By a thread of its own, for a disk
  // may hang. Errors: those of claim(), and ETIMEDOUT when it takes longer than `within`.
  static Result<Opened> open(const std::string& directory, Duration within,
                             const CertificateFileBounds& bounds = {});

  CertificateFile(std::string directory, Claim claim, OnTrouble on_trouble,
                  const CertificateFileBounds& bounds = {});
  ~CertificateFile();  // what waits is written, for about a second at most
  CertificateFile(const CertificateFile&) = delete;
  CertificateFile& operator=(const CertificateFile&) = delete;

  void append(std::string line);  // without its newline
  std::uint64_t lost() const;     // lines that were not written and do not wait any more

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace poolwarden::journal
