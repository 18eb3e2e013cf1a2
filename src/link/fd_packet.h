// One packet with descriptors beside it, sent or received at once by a system call (cmsg(3)).

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "link/channel.h"

namespace poolwarden::link {

// Whether it was sent; false: the socket takes no more now.
Result<bool> send_packet(int socket, std::string_view text, const std::vector<int>& fds);

// nullopt: there is none now. `room` is scratch space of kMaxPacket bytes.
Result<std::optional<Packet>> receive_packet(int socket, std::vector<char>& room);

}  // namespace poolwarden::link
