#include "control/control_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "control/peer.h"
#include "loop/pidfd.h"
#include "loop/rethrow.h"

namespace poolwarden::control {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
using Protocol = asio::local::stream_protocol;

constexpr auto kUseTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxRequest = 64 * 1024;
constexpr int kMaxConnections = 64;
constexpr std::chrono::seconds kRequestWithin{10};
constexpr std::chrono::seconds kKeeperWithin{10};
constexpr mode_t kMode = 0660;

std::string cure_for(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return "; mount a directory there that can be written to (in Docker --tmpfs " + parent +
         ", in Kubernetes an emptyDir), or choose another path with `control:` or --control";
}

pid_t owner_of(int lock_fd) {
  char text[32] = {};
  return ::pread(lock_fd, text, sizeof(text) - 1, 0) > 0 ? std::atoi(text) : 0;
}

// Also one that nobody has waited for yet, as in a container whose first process never does.
bool has_ended(pid_t pid) {
  const loop::UniqueFd pidfd = loop::open_pidfd(pid);
  return pidfd ? loop::has_ended(pidfd) : errno == ESRCH;
}

// A supervisor that was killed leaves its lock to its keeper, which ends what it left: that is
// waited for, a living supervisor is not.
bool take_lock(int lock_fd) {
  const TimePoint deadline = Clock::now() + kKeeperWithin;
  while (::flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    const pid_t owner = owner_of(lock_fd);
    const bool is_dead = owner > 0 && has_ended(owner);
    if (!is_dead || Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

Result<loop::UniqueFd> lock(const std::string& path) {
  const std::string name = path + ".lock";
  loop::UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    const Error error = errno_error(errno, "cannot open " + name);
    return Error{error.code, error.message + cure_for(path)};
  }
  if (!take_lock(fd.get())) {
    return failure("cannot use control socket " + path + ": another supervisor has it (process " +
                   std::to_string(owner_of(fd.get())) +
                   "); stop it, or choose another path with `control:`");
  }
  const std::string self = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), self.data(), self.size(), 0) != static_cast<ssize_t>(self.size()))
    return errno_error(errno, "cannot write " + name);
  return fd;
}

boost::json::object last_line(int exit_code, const std::string& message) {
  return {{"exit", exit_code}, {"message", message}};
}

std::string text_of(const boost::json::object& line) { return boost::json::serialize(line) + "\n"; }

Result<void> make_parent(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  const std::string cure = cure_for(path);
  const bool made = std::filesystem::create_directories(parent, error);
  if (error)
    return Error{error,
                 "cannot create directory " + parent.string() + ": " + error.message() + cure};
  // Root's may be passed through by all, whatever our umask; another user's is that user's alone.
  if (made) {
    const auto mode =
        ::geteuid() == 0 ? std::filesystem::perms(0755) : std::filesystem::perms(0700);
    std::filesystem::permissions(parent, mode, error);
  }
  struct stat found {};
  const bool is_trusted =
      ::stat(parent.c_str(), &found) == 0 && (found.st_uid == ::geteuid() || found.st_uid == 0);
  if (!is_trusted)
    return failure("cannot use directory " + parent.string() +
                   " for the control socket: it belongs to another user" + cure);
  return {};
}

}  // namespace

asio::awaitable<bool> Conversation::send(const boost::json::object& line) {
  const std::string text = text_of(line);
  auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(text), kUseTuple);
  co_return !error;
}

bool Conversation::has_left() {
  // Not POLLRDHUP: who has said all may still listen.
  pollfd peer{socket_.native_handle(), 0, 0};
  return ::poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)) != 0;
}

asio::awaitable<void> Conversation::finish(int exit_code, const std::string& message,
                                           boost::json::object data) {
  boost::json::object line = last_line(exit_code, message);
  if (!data.empty()) line["data"] = std::move(data);
  if (co_await send(line)) exit_code_ = exit_code;
}

Result<std::unique_ptr<ControlServer>> ControlServer::open(asio::io_context& io,
                                                           const std::string& path,
                                                           Handler handler) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return failure("cannot use control socket " + path + ": the path is longer than 107 bytes");
  if (auto made = make_parent(path); !made) return made.error();
  auto locked = lock(path);
  if (!locked) return locked.error();
  ::unlink(path.c_str());  // stale: its owner would hold the lock

  Protocol::acceptor acceptor(io);
  boost::system::error_code error;
  acceptor.open(Protocol(), error);
  if (!error) {
    // The mode is right from the first moment: the mask is set before the file exists.
    const mode_t before = ::umask(0777 & ~kMode);
    acceptor.bind(Protocol::endpoint(path), error);
    ::umask(before);
  }
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return Error{error, "cannot listen on control socket " + path + ": " + error.message()};
  ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  return std::unique_ptr<ControlServer>(
      new ControlServer(io, path, std::move(*locked), std::move(acceptor), std::move(handler)));
}

ControlServer::ControlServer(asio::io_context& io, std::string path, loop::UniqueFd lock,
                             Protocol::acceptor acceptor, Handler handler)
    : io_(io),
      path_(std::move(path)),
      lock_(std::move(lock)),
      acceptor_(std::move(acceptor)),
      handler_(std::move(handler)) {
  asio::co_spawn(io_, accept(), loop::rethrow);
}

ControlServer::~ControlServer() {
  stop();
  ::unlink(path_.c_str());
}

void ControlServer::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> ControlServer::accept() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kUseTuple);
    if (!acceptor_.is_open()) co_return;
    if (error) {  // out of descriptors, most likely: look again when others have gone
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(kUseTuple);
      continue;
    }
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    if (connections_ >= kMaxConnections) {
      turn_away(std::move(socket));
      continue;
    }
    asio::co_spawn(io_, serve(std::move(socket)), loop::rethrow);
  }
}

// Answered without being heard, for who is waited for costs a descriptor; the line always fits into
// a socket that is new.
void ControlServer::turn_away(Protocol::socket socket) {
  constexpr int kExitCode = 1;
  const std::string text =
      text_of(last_line(kExitCode, "too many connections (" + std::to_string(kMaxConnections) +
                                       "); end some `--follow` clients"));
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (!error) socket.write_some(asio::buffer(text), error);
  Settled settled;
  if (!error) settled.exit_code = kExitCode;
  if (on_settled_) on_settled_(settled);
}

// The request is read before it is refused: a client that is answered while it still sends would
// see a broken pipe instead of the answer.
asio::awaitable<void> ControlServer::serve(Protocol::socket socket) {
  ++connections_;
  Conversation conversation(std::move(socket));
  std::string text;
  asio::steady_timer deadline(io_, kRequestWithin);
  const auto read =
      co_await (asio::async_read_until(conversation.socket(),
                                       asio::dynamic_buffer(text, kMaxRequest), '\n', kUseTuple) ||
                deadline.async_wait(kUseTuple));
  boost::system::error_code error;
  const boost::json::value request = boost::json::parse(text.substr(0, text.find('\n')), error);
  struct stat file {};
  const bool known = ::stat(path_.c_str(), &file) == 0;
  Settled settled;
  if (!known || !may_command(conversation.socket().native_handle(), file.st_gid)) {
    settled.refused = true;
    co_await conversation.finish(1,
                                 "you may not command this supervisor: be root, its own user, "
                                 "or a member of the control socket's group");
  } else if (read.index() != 0 || error || !request.is_object()) {
    co_await conversation.finish(2, "the request is not one line of JSON");
  } else {
    if (const auto* command = request.get_object().if_contains("command");
        command && command->is_string())
      settled.command = command->get_string().c_str();
    co_await handler_(request.get_object(), conversation);
  }
  --connections_;
  settled.exit_code = conversation.exit_code();
  if (on_settled_) on_settled_(settled);
}

}  // namespace poolwarden::control
