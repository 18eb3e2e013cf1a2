// Where each end of a worker is entered: numbered, kept in memory and on the disk, and noted in the
// history of its slot. Entered on the supervision thread, read on any.

#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>

#include "journal/certificate_file.h"
#include "journal/certificate_store.h"
#include "journal/slot_history.h"
#include "pool/event.h"

namespace poolwarden::journal {

class DeathRegister {
 public:
  // Reads what earlier supervisors have left in `directory`, and writes there from now on; before
  // anything is entered. The answer: what could not be read, for people; empty when all could.
  std::string keep_in(const std::string& directory, CertificateFile::OnTrouble on_trouble);

  // The event as everybody else is to be told of it: a certificate in it has its number. One that
  // tells what became known later is in place of the earlier one from now on.
  pool::Event enter(const pool::Event& event, WallTime at);

  const CertificateStore& certificates() const { return certificates_; }
  const SlotHistory& lives() const { return history_; }

  // Newest first, as `why` shows them.
  boost::json::array history(const CertificateQuery& query) const;

 private:
  void write(const diagnosis::Certificate& certificate);

  CertificateStore certificates_;
  SlotHistory history_;
  std::unique_ptr<CertificateFile> file_;
};

// Newest first.
boost::json::array as_json(const std::vector<KeptCertificate>& certificates);

}  // namespace poolwarden::journal
