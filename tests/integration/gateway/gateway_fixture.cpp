#include "integration/gateway/gateway_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

#include "gateway/gateway.h"
#include "link/channel.h"
#include "link/codec.h"
#include "link/fd_packet.h"

namespace poolwarden::testing {
namespace {

loop::UniqueFd listen_anywhere(int& port) {
  loop::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(fd.get(), 512) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

::testing::AssertionResult eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return ::testing::AssertionFailure() << "it did not come true in 60 s";
    }
    ::poll(nullptr, 0, 1);
  }
  return ::testing::AssertionSuccess();
}

GatewayTest::GatewayTest(Routes routes) {
  link::ChannelPair pair = link::make_channel_pair().value();
  link_ = std::move(pair.supervisor);
  listener_ = listen_anywhere(port_);
  board_ = std::make_unique<link::ScoreboardMap>(link::ScoreboardMap::create().value());
  const int board_fd = ::fcntl(board_->fd(), F_DUPFD_CLOEXEC, 3);
  gateway_ = std::thread([this, link_fd = pair.gateway.release(), board_fd] {
    exit_code = gateway::run_gateway(link_fd, board_fd);
  });
  tell(link::Welcome{{"127.0.0.1:0"}}, {listener_.get()});
  if (routes == Routes::Later) return;
  tell(link::RoutesChanged{});
  expect<link::Hello>();
}

GatewayTest::~GatewayTest() { end_all(); }

void GatewayTest::end_all() {
  go = true;
  end_link();
  workers_.clear();
}

void GatewayTest::end_link() {
  link_.reset();
  if (gateway_.joinable()) gateway_.join();
}

void GatewayTest::tell(const link::ToGateway& message, const std::vector<int>& fds) {
  const Result<bool> sent = link::send_packet(link_.get(), link::encode(message), fds);
  if (!sent || !*sent) throw std::runtime_error("cannot tell the gateway");
}

link::ToSupervisor GatewayTest::next_message() {
  pollfd readable{link_.get(), POLLIN, 0};
  if (::poll(&readable, 1, 60'000) <= 0) throw std::runtime_error("the gateway says nothing");
  std::vector<char> room(link::kMaxPacket);
  Result<std::optional<link::Packet>> packet = link::receive_packet(link_.get(), room);
  if (!packet || !*packet) throw std::runtime_error("the gateway has ended");
  return link::decode_to_supervisor((*packet)->text).value();
}

bool GatewayTest::has_message() {
  pollfd readable{link_.get(), POLLIN, 0};
  return ::poll(&readable, 1, 0) > 0;
}

Message GatewayTest::get(const std::string& path, const std::string& more_fields) {
  TextSocket client = connect();
  client.send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + more_fields + "\r\n");
  return client.read_message();
}

void GatewayTest::add_pool(const std::function<void(link::PoolAdded&)>& change) {
  link::PoolAdded pool;
  pool.pool = "web";
  pool.routes = {pool::Route{}};
  if (change) change(pool);
  tell(pool);
  tell(link::RoutesChanged{});
}

ScriptedWorker& GatewayTest::serve(ScriptedWorker::Script script) {
  add_pool();
  return add_worker(std::move(script));
}

ScriptedWorker& GatewayTest::add_worker(ScriptedWorker::Script script, std::uint64_t id,
                                        ScriptedWorker::At at) {
  workers_.push_back(std::make_unique<ScriptedWorker>(std::move(script), at));
  tell(link::WorkerReady{"web", worker::WorkerId{id}, static_cast<std::uint32_t>(id),
                         workers_.back()->endpoint()});
  return *workers_.back();
}

void GatewayTest::drain(std::uint64_t id, dispatch::LossCause cause,
                        std::optional<Duration> tunnel_limit) {
  tell(link::DrainWorker{worker::WorkerId{id}, cause, tunnel_limit});
}

void GatewayTest::set_mode(link::PoolMode mode, std::optional<std::uint32_t> retry_after) {
  tell(link::PoolModeChanged{"web", mode, retry_after});
}

std::uint64_t GatewayTest::failures(dispatch::RequestFailure failure) const {
  return link::load(row().failures[static_cast<std::size_t>(failure)]);
}
std::uint64_t GatewayTest::lost(dispatch::LossCause cause) const {
  return link::load(row().lost[static_cast<std::size_t>(cause)]);
}
std::uint64_t GatewayTest::rejected(dispatch::Rejection rejection) const {
  return link::load(row().rejected[static_cast<std::size_t>(rejection)]);
}
std::uint64_t GatewayTest::responses(int status) const {
  return link::load(row().responses[static_cast<std::size_t>(status) - link::kFirstStatus]);
}

}  // namespace poolwarden::testing
