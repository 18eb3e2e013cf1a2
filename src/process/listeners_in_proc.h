// Who listens on a port or a Unix socket: sockets from /proc/net, their owners from the descriptors
// of all processes (proc(5)). Tables and processes may be many, so not on the supervision thread.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "diagnosis/evidence.h"

namespace poolwarden::process {

// Ports that are listened on, and the inodes of the sockets that do: from the text of /proc/net/tcp
// or tcp6.
std::map<std::uint16_t, std::set<std::uint64_t>> listening_inodes(std::string_view table);
// From the text of /proc/net/unix.
std::set<std::uint64_t> listening_inodes(std::string_view table, const std::string& path);

inline constexpr std::chrono::seconds kHolderPatience{2};

// Who has the first of these ports that somebody has now: of this network namespace, or of all that
// share it. `pid` is 0 where its process may not be looked into, or is not found within `patience`.
// Absent: nobody listens on any.
std::optional<diagnosis::PortHolder> find_port_holder(const std::vector<std::uint16_t>& ports,
                                                      Duration patience = kHolderPatience);
// The same of a Unix socket; its port is 0.
std::optional<diagnosis::PortHolder> find_socket_holder(const std::string& path,
                                                        Duration patience = kHolderPatience);

// The ports that a program may mean that complains that one is in use ("listen tcp :8080: bind:
// address already in use"), the likeliest first: a time of day in the line looks like one, too.
// nullopt: it does not complain of that.
std::optional<std::vector<std::uint16_t>> ports_in_use(
    const std::vector<diagnosis::WrittenLine>& output);

}  // namespace poolwarden::process
