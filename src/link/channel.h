// One end of the control link: packets in order, descriptors beside them, over a SOCK_SEQPACKET
// pair (unix(7)). Sending never blocks the caller: packets that do not fit are kept and sent later.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
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

class Channel {
 public:
  Channel(boost::asio::io_context& io, loop::UniqueFd socket);

  // Queues a packet; `fds` stay the caller's and must stay open until it is sent: they are
  // duplicated here. A dead peer is noticed by receive(), not here.
  void send(std::string text, const std::vector<int>& fds = {});

  // The next packet; an error when the peer is gone or sent what is too large.
  boost::asio::awaitable<Result<Packet>> receive();

  void close();

 private:
  struct Outgoing {
    std::string text;
    std::vector<loop::UniqueFd> fds;
  };
  void flush();
  bool send_now(const Outgoing& packet);

  boost::asio::posix::stream_descriptor socket_;
  std::deque<Outgoing> outgoing_;
  bool waiting_to_write_ = false;
};

}  // namespace poolwarden::link
