// Asking a worker whether it serves yet.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "worker/worker_state.h"

namespace poolwarden::process {

// One try each, of 5 s at most.
boost::asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint);

// Whether GET `path` is answered with a status from 200 to 399.
boost::asio::awaitable<bool> answers_http(worker::Endpoint endpoint, std::string path);

}  // namespace poolwarden::process
