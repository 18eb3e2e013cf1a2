// The certificates that are kept in memory: the newest of each slot, of each pool, and of all. Any
// thread may read.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "diagnosis/certificate.h"

namespace poolwarden::journal {

using KeptCertificate = std::shared_ptr<const diagnosis::Certificate>;

struct StoreBounds {
  std::size_t of_slot = 20;
  std::size_t of_pool = 200;
  std::size_t of_all = 2000;
  std::size_t bytes = 16 * 1024 * 1024;  // as weight() counts
  // Where there are more ends that were asked for, the oldest of them makes room: a worker that is
  // recycled every hour is not to push out the crash of last week.
  std::size_t expected = 5;
};

// Which certificates: of a pool, or of all of them when it is empty.
struct CertificateQuery {
  std::string pool;
  std::optional<std::uint32_t> slot;
  std::size_t at_most = 20;      // of each pool
  bool only_unexpected = false;  // without ends that were asked for
};

class CertificateStore {
 public:
  explicit CertificateStore(StoreBounds bounds = {}) : bounds_(bounds) {}

  // Gives it the next number, and keeps it within bounds; the answer is what is kept.
  KeptCertificate add(diagnosis::Certificate certificate);

  // What became known later of an end: in place of the certificate with its number, or without one,
  // of the same process. The answer is what is kept; null when it was forgotten meanwhile.
  KeptCertificate amend(diagnosis::Certificate certificate);

  // One of an earlier supervisor, with its number; numbers go on after the highest. The last one
  // with a number counts.
  void restore(diagnosis::Certificate certificate);

  std::vector<KeptCertificate> find(const CertificateQuery& query) const;  // newest first
  // Of this very worker; null when there is none.
  KeptCertificate find(const std::string& pool, std::uint32_t slot, std::uint64_t generation,
                       int pid) const;
  KeptCertificate numbered(std::uint64_t number) const;  // null when there is none
  std::vector<std::string> pools() const;                // that it has any of

 private:
  struct Kept {
    KeptCertificate certificate;
    std::size_t weight = 0;
  };
  using All = std::map<std::uint64_t, Kept>;  // by number, oldest first
  struct Numbers {                            // of those that belong together
    std::set<std::uint64_t> all;
    std::set<std::uint64_t> expected;
  };
  using Slot = std::pair<std::string, std::uint32_t>;
  using Process = std::tuple<std::string, std::uint32_t, std::uint64_t, int>;

  KeptCertificate keep(diagnosis::Certificate certificate);
  void make_room(const diagnosis::Certificate& newest);
  void forget(All::iterator which);
  void shorten(std::size_t at_most, const Numbers& numbers);
  All::const_iterator find_process(const diagnosis::Certificate& certificate) const;
  static Process process_of(const diagnosis::Certificate& certificate);

  const StoreBounds bounds_;
  mutable std::mutex mutex_;  // what follows
  All all_;
  std::map<Slot, Numbers> slots_;
  std::map<std::string, Numbers> pools_;
  Numbers everyone_;
  std::map<Process, std::uint64_t> newest_of_;  // by who it was: a later supervisor counts anew
  std::uint64_t last_number_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace poolwarden::journal
