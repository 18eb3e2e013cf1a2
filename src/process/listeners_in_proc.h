// Who listens on a port or a Unix socket: sockets from /proc/net, their owners from the descriptors
// of all processes (proc(5)).

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "diagnosis/evidence.h"

namespace poolwarden::process {

// Inodes of the sockets that listen, from the text of /proc/net/tcp or tcp6.
std::set<std::uint64_t> listening_inodes(std::string_view table, std::uint16_t port);
// From the text of /proc/net/unix.
std::set<std::uint64_t> listening_inodes(std::string_view table, const std::string& path);

// Who has the port now: of this network namespace, or of all that share it. `pid` is 0 where its
// process may not be looked into, or is not found within `patience`. Absent: nobody listens.
std::optional<diagnosis::PortHolder> find_port_holder(
    std::uint16_t port, Duration patience = std::chrono::milliseconds(50));
// The same of a Unix socket; its port is 0.
std::optional<diagnosis::PortHolder> find_socket_holder(
    const std::string& path, Duration patience = std::chrono::milliseconds(50));

// The ports that a program may mean that complains that one is in use ("listen tcp :8080: bind:
// address already in use"), the likeliest first: a time of day in the line looks like one, too.
// nullopt: it does not complain of that.
std::optional<std::vector<std::uint16_t>> ports_in_use(
    const std::vector<diagnosis::WrittenLine>& output);

}  // namespace poolwarden::process
