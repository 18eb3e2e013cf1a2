// One thing that was looked at, and what was found: what all of `doctor` speaks in.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::doctor {

enum class Outcome {
  Ok,
  Note,     // worth knowing; it works, with less
  Problem,  // the pool will not start, or runs without what it asks for
};

std::string_view name(Outcome outcome);  // "ok", "note", "problem"

struct Check {
  Outcome outcome = Outcome::Ok;
  std::string subject;  // "program"
  std::string found;    // "/usr/bin/python3"; of trouble, what is wrong
  std::string cause;    // why; empty where `found` says it
  std::string cure;     // what to do about it
};
using Checks = std::vector<Check>;

// "pool web, as www-data (33:33)": what the checks below it are about.
struct Section {
  std::string title;
  std::string pool;  // empty: the whole container or machine
  Checks checks;
};

inline Check ok(std::string subject, std::string found) {
  return {Outcome::Ok, std::move(subject), std::move(found), {}, {}};
}
inline Check note(std::string subject, std::string found, std::string cause, std::string cure) {
  return {Outcome::Note, std::move(subject), std::move(found), std::move(cause), std::move(cure)};
}
inline Check problem(std::string subject, std::string found, std::string cause, std::string cure) {
  return {Outcome::Problem, std::move(subject), std::move(found), std::move(cause),
          std::move(cure)};
}

}  // namespace poolwarden::doctor
