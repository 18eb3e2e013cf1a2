// A worker that hangs with many requests: all of them are answered by its replacement.

#include <netinet/in.h>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

worker::WorkerId id(std::uint64_t number) { return worker::WorkerId{number}; }

constexpr std::uint32_t kAtOnce = 32;
constexpr std::uint32_t kRequests = 100;

class UnhealthyTest : public GatewayTest {
 protected:
  // Full queues must not matter to those who wait already, nor to those who wait again.
  void add_tight_pool() {
    add_pool([](link::PoolAdded& pool) {
      pool.concurrency = kAtOnce;
      pool.queue.limit = kRequests - kAtOnce;
      pool.queue.restart_limit = 10;
      pool.queue.client_check = 0ns;
    });
  }
  std::vector<TextSocket> ask_all() {
    std::vector<TextSocket> clients;
    for (std::uint32_t i = 0; i < kRequests; ++i) {
      clients.push_back(connect());
      clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    EXPECT_TRUE(eventually([&] {
      return link::load(row().in_flight) == kAtOnce &&
             link::load(row().queue_length) == kRequests - kAtOnce;
    }));
    return clients;
  }
  void expect_all_answered(std::vector<TextSocket>& clients) {
    for (TextSocket& client : clients) EXPECT_EQ(client.read_message().status(), 200);
    for (const auto cause : {dispatch::LossCause::WorkerDied, dispatch::LossCause::Recycle}) {
      EXPECT_EQ(lost(cause), 0u);
    }
  }
  // As the supervisor does it: out of service, killed, replaced.
  void replace(ScriptedWorker& hung) {
    drain(1, dispatch::LossCause::WorkerDied);
    set_mode(link::PoolMode::Restarting);
    hung.die();
    EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == kRequests; }));
    tell(link::WorkerGone{id(1)});
    EXPECT_EQ(get()["x-poolwarden-reason"], "restarting");  // the limit is for those who come now
    add_worker(answer_all, 2);
    set_mode(link::PoolMode::Open);
  }
};

TEST_F(UnhealthyTest, LosesNoRequestThatItHasRead) {
  add_tight_pool();
  ScriptedWorker& hung = add_worker([](TextSocket& worker) { worker.read_to_end(); });
  std::vector<TextSocket> clients = ask_all();
  replace(hung);
  expect_all_answered(clients);
}

TEST_F(UnhealthyTest, LosesNoRequestThatItHasNotRead) {
  add_tight_pool();
  ScriptedWorker& hung =
      add_worker([&](TextSocket&) { EXPECT_TRUE(eventually([&] { return go.load(); })); });
  std::vector<TextSocket> clients = ask_all();
  drain(1, dispatch::LossCause::WorkerDied);
  go = true;
  hung.die();
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == kRequests; }));
  tell(link::WorkerGone{id(1)});
  add_worker(answer_all, 2);
  expect_all_answered(clients);
}

// connect: inherit. The socket outlives its worker, and takes connections that nobody accepts.
class OutlivingSocketTest : public UnhealthyTest {
 protected:
  OutlivingSocketTest() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 512), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  void add_first_worker() {
    tell(link::WorkerReady{"web", id(1), 1, worker::TcpEndpoint{"127.0.0.1", port_}});
  }
  TextSocket accept() {
    return TextSocket(loop::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }

 private:
  loop::UniqueFd listener_;
  std::uint16_t port_ = 0;
};

TEST_F(OutlivingSocketTest, LosesNothingOfItsBacklog) {
  add_tight_pool();
  add_first_worker();
  std::vector<TextSocket> clients = ask_all();
  drain(1, dispatch::LossCause::WorkerDied);
  tell(link::WorkerGone{id(1)});
  add_worker(answer_all, 2);
  expect_all_answered(clients);
}

TEST_F(OutlivingSocketTest, CostsARequestThatDiedWithItsWorkerNoFurtherAttempt) {
  add_tight_pool();
  add_first_worker();
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  {
    TextSocket worker = accept();
    EXPECT_TRUE(worker.read_message().complete);
  }  // it dies; before the supervisor says so, the request comes again, to nobody
  EXPECT_TRUE(eventually([&] { return link::load(row().retries) == 1; }));
  tell(link::WorkerGone{id(1)});
  add_worker(answer_all, 2);
  EXPECT_EQ(client.read_message().status(), 200);
}

}  // namespace
}  // namespace poolwarden::testing
