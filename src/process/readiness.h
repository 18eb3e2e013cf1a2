// Asking a worker whether it serves: before it is ready, and again and again afterwards.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/clock.h"
#include "worker/usage.h"
#include "worker/worker_state.h"

namespace poolwarden::process {

// One try each, of 5 s at most.
boost::asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint);

struct HttpAnswer {
  bool is_ready = false;  // its status is from 200 to 399
  std::string breach;     // the beginning of an answer that is no HTTP, escaped
};

// Of GET `path`.
boost::asio::awaitable<HttpAnswer> answers_http(worker::Endpoint endpoint, std::string path);

// The same as a health ping: one try, of `limit` at most.
boost::asio::awaitable<worker::PingResult> ping_http(worker::Endpoint endpoint, std::string path,
                                                     Duration limit);

}  // namespace poolwarden::process
