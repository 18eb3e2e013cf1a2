#include "admin/admin_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <set>
#include <thread>

#include "admin/connection.h"
#include "admin/listening_socket.h"
#include "loop/rethrow.h"
#include "loop/signals_blocked.h"

namespace poolwarden::admin {
namespace {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{200};

int family_of(int socket) {
  int family = AF_UNSPEC;
  socklen_t length = sizeof family;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

}  // namespace

class AdminServer::Running {
 public:
  Running(loop::UniqueFd socket, std::string unix_path, AdminSources sources)
      : sources_(std::move(sources)),
        unix_path_(std::move(unix_path)),
        port_(port_of(socket.get())),
        family_(family_of(socket.get())),
        listener_(io_.get_executor(), socket.release()),
        pause_(io_.get_executor()) {}
  ~Running();

  void run();
  asio::awaitable<std::string> metrics() {
    return asio::co_spawn(io_, render(), asio::use_awaitable);
  }
  std::uint16_t port() const { return port_; }

 private:
  asio::awaitable<void> accept_all();
  asio::awaitable<std::string> render() const {
    co_return sources_.exposition.render(metrics::ExpositionFormat::Text);
  }
  asio::awaitable<void> serve_one(loop::UniqueFd socket);
  void end();

  AdminSources sources_;
  std::string unix_path_;
  std::uint16_t port_;
  int family_;
  asio::io_context io_{1};
  Descriptor listener_;
  WakeTimer pause_;
  bool ending_ = false;
  std::set<Stream*> streams_;
  Followers followers_;
  std::thread thread_;
};

void AdminServer::Running::run() {
  asio::co_spawn(io_, accept_all(), loop::rethrow);
  const loop::SignalsBlocked blocked;
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "admin");
    io_.run();
  });
}

AdminServer::Running::~Running() {
  asio::post(io_, [this] { end(); });
  if (thread_.joinable()) thread_.join();
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

// Every coroutine then ends by itself, and with the last one the thread.
void AdminServer::Running::end() {
  ending_ = true;
  boost::system::error_code ignored;
  listener_.close(ignored);
  pause_.cancel();
  for (Stream* stream : streams_) stream->close();
  for (WakeTimer* follower : followers_) follower->cancel();
}

asio::awaitable<void> AdminServer::Running::accept_all() {
  while (!ending_) {
    const auto [error] = co_await listener_.async_wait(Descriptor::wait_read, kAwait);
    if (error || ending_) co_return;
    loop::UniqueFd socket(
        ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket && streams_.size() < kMaxConnections) {
      asio::co_spawn(io_, serve_one(std::move(socket)), loop::rethrow);
    } else if (!socket && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      // Out of descriptors or memory: the connection stays in the backlog, and poll says so at
      // once.
      pause_.expires_after(kPauseWithoutDescriptors);
      co_await pause_.async_wait(kAwait);
    }
  }
}

asio::awaitable<void> AdminServer::Running::serve_one(loop::UniqueFd socket) {
  Stream stream(io_.get_executor());
  const asio::generic::stream_protocol protocol(family_, 0);
  boost::system::error_code error;
  stream.socket().assign(protocol, socket.get(), error);
  if (error) co_return;
  socket.release();
  streams_.insert(&stream);
  co_await serve(stream, sources_, followers_);
  stream.socket().shutdown(asio::socket_base::shutdown_send, error);
  streams_.erase(&stream);
}

AdminServer::AdminServer(std::unique_ptr<Running> running) : running_(std::move(running)) {}
AdminServer::~AdminServer() = default;

Result<std::unique_ptr<AdminServer>> AdminServer::start(const AdminAddress& address,
                                                        AdminSources sources) {
  Result<loop::UniqueFd> socket = listen_on(address);
  if (!socket) return socket.error();
  auto running =
      std::make_unique<Running>(std::move(*socket), address.unix_path, std::move(sources));
  running->run();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(running)));
}

asio::awaitable<std::string> AdminServer::metrics() { return running_->metrics(); }

std::uint16_t AdminServer::port() const { return running_->port(); }

}  // namespace poolwarden::admin
