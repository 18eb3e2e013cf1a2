// One end of the control link: packets in order, descriptors beside them, over a SOCK_SEQPACKET
// pair (unix(7)). Sending never blocks the caller: packets that do not fit are kept and sent later.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::link {

struct Packet {
  std::string text;
  std::vector<loop::UniqueFd> fds;
};

// Two connected ends, both close-on-exec and non-blocking.
struct ChannelPair {
  loop::UniqueFd supervisor;
  loop::UniqueFd gateway;
};
Result<ChannelPair> make_channel_pair();

inline constexpr std::size_t kMaxPacket = 128 * 1024;
inline constexpr std::size_t kMaxFds = 64;
inline constexpr std::size_t kMaxUnsent = 4 * 1024 * 1024;  // bytes kept for a peer that is slow

class Channel {
 public:
  Channel(boost::asio::io_context& io, loop::UniqueFd socket);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Queues a packet; `fds` stay the caller's: they are duplicated here when they cannot go at once.
  // What goes wrong (a dead peer, a packet that is too large, a peer that has long read nothing)
  // is told by receive(), and closes the channel.
  void send(std::string text, const std::vector<int>& fds = {});

  // The next packet; an error when the peer is gone or sent what is too large. Errors are final.
  // One caller at a time. The channel may end while it waits.
  boost::asio::awaitable<Result<Packet>> receive();

  void close();

 private:
  class Connection;
  static boost::asio::awaitable<Result<Packet>> receive_on(std::shared_ptr<Connection> connection);

  std::shared_ptr<Connection> connection_;  // shared with what waits on the socket
};

}  // namespace poolwarden::link
