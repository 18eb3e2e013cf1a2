// Events as they happen, as server-sent events (text/event-stream of the HTML standard).

#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

#include "admin/connection.h"
#include "journal/journal.h"

namespace poolwarden::admin {

// First what is kept and newer than `after`, then what comes; of one pool, or of all when `pool` is
// empty. Ends when the peer is gone or takes too little.
boost::asio::awaitable<void> stream_events(Stream& stream, journal::Journal& journal,
                                           std::uint64_t after, const std::string& pool,
                                           Followers& followers);

}  // namespace poolwarden::admin
