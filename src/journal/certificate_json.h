// A certificate as JSON: the same in event, API, `why --json` and on the disk. docs/certificates.md
// says what each key means.

#pragma once

#include <boost/json/object.hpp>
#include <cstdint>

#include "base/result.h"
#include "diagnosis/certificate.h"

namespace poolwarden::journal {

inline constexpr std::uint64_t kHighestNumber = std::uint64_t{1} << 53;  // exact in any JSON

// All of it. What is not known is left out; text is valid UTF-8.
boost::json::object as_json(const diagnosis::Certificate& certificate);

// What an event says of the end: all that is one word or number. Lists (output, threads, backtrace
// and others) are in the certificate that it names.
void add_end(boost::json::object& event, const diagnosis::Certificate& certificate);

// as_json() undone. Words of a newer version are unknown ones here. Errors: it is no certificate.
Result<diagnosis::Certificate> certificate_from(const boost::json::object& object);

}  // namespace poolwarden::journal
