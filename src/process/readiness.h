// Asking a worker whether it serves: before it is ready, and again and again afterwards.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "diagnosis/evidence.h"
#include "worker/usage.h"
#include "worker/worker_state.h"

namespace poolwarden::process {

// How long one try of a start may take.
inline constexpr Duration kOneTry = std::chrono::seconds(5);

// One try.
boost::asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint);

struct HttpAnswer {
  int status = 0;             // 0: it gave none
  std::string error = {};     // why it gave none: "Connection refused"; empty: it did
  bool was_answered = false;  // at least one byte came
  bool is_late = false;       // the time was up
  std::string breach = {};    // the beginning of an answer that is no HTTP, escaped

  bool is_ready() const { return status >= 200 && status < 400; }
  worker::PingResult as_ping() const;
};

// Of GET `path`: one try, of `limit` at most.
boost::asio::awaitable<HttpAnswer> ask_http(worker::Endpoint endpoint, std::string path,
                                            Duration limit);

// What all of them together have told so far.
class ProbeRecord {
 public:
  void add(const std::string& path, const HttpAnswer& answer);
  // Absent: it was never asked. With a path that was not asked for before, it begins anew.
  const std::optional<diagnosis::ProbeAnswer>& told() const { return told_; }
  const std::string& breach() const { return breach_; }  // of the last answer; empty: it is HTTP

 private:
  std::optional<diagnosis::ProbeAnswer> told_;
  std::string breach_;
};

}  // namespace poolwarden::process
