// Where each end of a worker is entered: numbered, kept in memory and on the disk, and noted in the
// history of its slot. Entered on the supervision thread, read on any.

#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "journal/certificate_file.h"
#include "journal/certificate_store.h"
#include "journal/slot_history.h"
#include "pool/event.h"

namespace poolwarden::journal {

class DeathRegister {
 public:
  // Reads what earlier supervisors have left in `directory`, and writes there from now on; before
  // anything is entered. The answer: what could not be read, or why nothing is written, for people;
  // empty when all is well. A disk that hangs is waited for that long, and is tried again with each
  // certificate; what it has is not read any more then.
  std::string keep_in(const std::string& directory, CertificateFile::OnTrouble on_trouble,
                      Duration within = std::chrono::seconds(5));

  // The event as everybody else is to be told of it: a certificate in it has its number. One that
  // tells what became known later is in place of the earlier one from now on.
  pool::Event enter(const pool::Event& event, WallTime at);

  const CertificateStore& certificates() const { return certificates_; }
  const SlotHistory& lives() const { return history_; }

  // Newest first, as `why` shows them.
  boost::json::array history(const CertificateQuery& query) const;

 private:
  std::size_t restore(const std::vector<std::string>& lines);
  void write(const diagnosis::Certificate& certificate);

  CertificateStore certificates_;
  SlotHistory history_;
  std::unique_ptr<CertificateFile> file_;
};

inline constexpr std::size_t kMostShown = 2 * 1024 * 1024;  // bytes at once, as weight() counts

struct Shown {
  boost::json::array certificates;
  std::size_t left_out = 0;  // of the last ones, for there is too much in all of them
};
// As many of the first ones as may be shown at once; one at least.
Shown shown(const std::vector<KeptCertificate>& certificates, std::size_t at_most = kMostShown);

}  // namespace poolwarden::journal
