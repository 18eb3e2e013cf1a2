// What was found, as a table for people and as JSON for programs.

#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "doctor/check.h"

namespace poolwarden::doctor {

struct Report {
  std::string file;  // the configuration; empty: there is none
  std::string host;  // "a Docker container (/.dockerenv)"
  std::vector<Section> sections;

  std::size_t count(Outcome outcome) const;
};

// Lines of 80 columns at most, unless a word is longer.
std::string as_table(const Report& report);

// {"file", "host", "problems", "notes", "checks": [{"pool", "subject", "result", "found", "cause",
// "cure"}]}; pool is null for what concerns all.
boost::json::object as_json(const Report& report);

// The checks alone, for the pipe of as_worker(). What is not of that form is left out.
boost::json::array to_json(const Checks& checks);
Checks checks_from_json(const boost::json::array& array);

}  // namespace poolwarden::doctor
