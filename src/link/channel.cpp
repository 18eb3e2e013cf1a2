#include "link/channel.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <deque>
#include <optional>

#include "link/fd_packet.h"

namespace poolwarden::link {

namespace asio = boost::asio;
using Socket = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

Result<ChannelPair> make_channel_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return errno_error(errno, "cannot make the control link");
  }
  return ChannelPair{loop::UniqueFd(ends[0]), loop::UniqueFd(ends[1])};
}

// Outlives the Channel for as long as a wait on its socket has not been told of its end.
class Channel::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, loop::UniqueFd socket)
      : socket_(io.get_executor(), socket.release()), room_(kMaxPacket) {}

  void send(std::string text, const std::vector<int>& fds);
  void close(Error why);
  asio::awaitable<Result<Packet>> receive();

 private:
  struct Outgoing {
    std::string text;
    std::vector<loop::UniqueFd> fds;
  };

  void keep(std::string text, const std::vector<int>& fds);
  void flush_when_writable();
  void flush();

  Socket socket_;
  std::vector<char> room_;
  std::deque<Outgoing> unsent_;
  std::size_t unsent_bytes_ = 0;
  bool waiting_to_write_ = false;
  std::optional<Error> closed_because_;
};

void Channel::Connection::send(std::string text, const std::vector<int>& fds) {
  if (closed_because_) return;
  if (text.empty() || text.size() > kMaxPacket || fds.size() > kMaxFds) {
    close(failure("cannot send a packet of " + std::to_string(text.size()) + " bytes and " +
                  std::to_string(fds.size()) + " descriptors on the control link"));
    return;
  }
  if (unsent_.empty()) {
    const Result<bool> sent = send_packet(socket_.native_handle(), text, fds);
    if (!sent) return;  // the peer is gone; receive() still has what it said before
    if (*sent) return;
  }
  keep(std::move(text), fds);
}

void Channel::Connection::keep(std::string text, const std::vector<int>& fds) {
  if (unsent_bytes_ + text.size() > kMaxUnsent) {
    close(failure("cannot send on the control link: the other side has stopped reading"));
    return;
  }
  Outgoing packet{.text = std::move(text), .fds = {}};
  for (const int fd : fds) {
    packet.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!packet.fds.back()) {
      close(errno_error(errno, "cannot duplicate a descriptor for the control link"));
      return;
    }
  }
  unsent_bytes_ += packet.text.size();
  unsent_.push_back(std::move(packet));
  flush_when_writable();
}

void Channel::Connection::flush_when_writable() {
  if (waiting_to_write_) return;
  waiting_to_write_ = true;
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](boost::system::error_code error) {
                       self->waiting_to_write_ = false;
                       if (!error && !self->closed_because_) self->flush();
                     });
}

void Channel::Connection::flush() {
  while (!unsent_.empty()) {
    const Outgoing& packet = unsent_.front();
    std::vector<int> fds;
    for (const loop::UniqueFd& fd : packet.fds) fds.push_back(fd.get());
    const Result<bool> sent = send_packet(socket_.native_handle(), packet.text, fds);
    if (!sent) {
      unsent_.clear();
      unsent_bytes_ = 0;
      return;
    }
    if (!*sent) return flush_when_writable();
    unsent_bytes_ -= packet.text.size();
    unsent_.pop_front();
  }
}

void Channel::Connection::close(Error why) {
  if (closed_because_) return;
  closed_because_ = std::move(why);
  unsent_.clear();
  unsent_bytes_ = 0;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<Result<Packet>> Channel::Connection::receive() {
  for (;;) {
    if (closed_because_) co_return *closed_because_;
    Result<std::optional<Packet>> packet = receive_packet(socket_.native_handle(), room_);
    if (!packet) {
      close(packet.error());
      co_return packet.error();
    }
    if (*packet) co_return std::move(**packet);
    auto [error] =
        co_await socket_.async_wait(Socket::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error && !closed_because_) {
      close({std::error_code(error), "cannot wait on the control link: " + error.message()});
    }
  }
}

Channel::Channel(asio::io_context& io, loop::UniqueFd socket)
    : connection_(std::make_shared<Connection>(io, std::move(socket))) {}

Channel::~Channel() { close(); }

void Channel::send(std::string text, const std::vector<int>& fds) {
  connection_->send(std::move(text), fds);
}

asio::awaitable<Result<Packet>> Channel::receive() { return receive_on(connection_); }

asio::awaitable<Result<Packet>> Channel::receive_on(std::shared_ptr<Connection> connection) {
  co_return co_await connection->receive();
}

void Channel::close() { connection_->close(failure("cannot use the control link: it is closed")); }

}  // namespace poolwarden::link
