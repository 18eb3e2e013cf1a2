// The child's end of a look: what it is about to look at, and what it has found, each told at once,
// so that who waits for it knows where it stands.

#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "doctor/check.h"

namespace poolwarden::doctor {

class Teller {
 public:
  // `fd`: where to write to; it stays the caller's.
  explicit Teller(int fd) : fd_(fd) {}

  // Said before what may never answer. `subject` as of a check; `what` as in "WHAT does not
  // answer"; `path`: of the file, where it is one.
  void looking_at(const std::string& subject, const std::string& what,
                  const std::string& path = {}) const;
  void tell(const Check& check) const;
  void tell(const Checks& checks) const;
  // All has been said: whoever ends without it has ended early.
  void tell_end() const;

  int descriptor() const { return fd_; }

 private:
  void send(const boost::json::object& line) const;

  int fd_;
};

// What a Teller has said, read back.
struct Place {
  std::string subject, what, path;
};
struct Heard {
  Checks checks;
  Place at;  // the last that it was about to look at
  bool has_ended = false;

  // One line of it. What is not of that form is passed over.
  void take(const std::string& line);
};

}  // namespace poolwarden::doctor
