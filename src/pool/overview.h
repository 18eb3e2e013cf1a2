// All pools in a few words and times: what a service manager (systemd) wants to know of them.

#pragma once

#include <optional>
#include <string>

#include "pool/snapshot.h"

namespace poolwarden::pool {

// Whether the start is over, `since` after it began: every pool serves, or is out of service, or
// has had its ready.timeout (kLongestStart, if that is infinite). So one pool that never gets ready
// does not keep the others from counting as started.
inline constexpr Duration kLongestStart = std::chrono::seconds(90);
bool is_started(const Snapshot& snapshot, Duration since);

// How long is_started() takes at most.
Duration longest_start(const Snapshot& snapshot);

// How long a graceful stop takes at most: shutdown.delay, then stop.drain and stop.timeout of the
// slowest pools. Absent: one of them is infinite.
std::optional<Duration> longest_stop(const Snapshot& snapshot);

// One line for people: "3 pools serve", "1 of 2 pools serve; pool api: no worker is ready".
std::string summary(const Snapshot& snapshot);

}  // namespace poolwarden::pool
