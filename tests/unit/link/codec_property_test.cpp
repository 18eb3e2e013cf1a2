// Packets of the control link with bytes that were changed, lost or added on their way: each is
// refused with an error that says why, or taken as a message that can be written and read again.

#include <gtest/gtest.h>

#include "link/codec.h"
#include "unit/seeds.h"

namespace poolwarden::link {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> one_of_each() {
  PoolAdded pool;
  pool.pool = "web";
  pool.routes = {{.host = "*", .path = "/"}};
  return {
      encode(ToGateway(Welcome{{"127.0.0.1:80"}})),
      encode(ToGateway(pool)),
      encode(ToGateway(PoolModeChanged{"web", PoolMode::RapidFail, 30})),
      encode(ToGateway(PoolRemoved{"web"})),
      encode(ToGateway(RoutesChanged{})),
      encode(ToGateway(WorkerReady{"web", WorkerId{7}, 3, worker::UnixEndpoint{"/run/w"}, true})),
      encode(ToGateway(WorkerReady{"web", WorkerId{8}, 4, worker::TcpEndpoint{"::1", 81}, false})),
      encode(ToGateway(DrainWorker{WorkerId{7}, dispatch::LossCause::Recycle, std::nullopt, 2})),
      encode(ToGateway(WorkerGone{WorkerId{7}})),
      encode(ToGateway(AbandonWorker{WorkerId{7}})),
      encode(ToGateway(LastCall{})),
      encode(ToGateway(Quiesce{})),
      encode(ToSupervisor(Hello{42})),
      encode(ToSupervisor(Demand{"web"})),
      encode(ToSupervisor(WorkerDrained{WorkerId{7}, 2})),
      encode(ToSupervisor(Quiesced{})),
      encode(ToSupervisor(DrainBroken{WorkerId{7}})),
      encode(ToSupervisor(RequestTimedOut{WorkerId{7}})),
      encode(ToSupervisor(RequestCutShort{WorkerId{7}, "GET", "/slow", 2s})),
  };
}

class Damage {
 public:
  explicit Damage(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string packet) {
    for (std::uint32_t times = 1 + below(3); times > 0 && !packet.empty(); --times) {
      const std::size_t at = below(static_cast<std::uint32_t>(packet.size()));
      switch (below(5)) {
        case 0:
          packet[at] = static_cast<char>(random_());
          break;
        case 1:
          packet.erase(at, 1 + below(8));
          break;
        case 2:
          packet.insert(at, 1, "{}[]\",:-0919eE."[below(14)]);
          break;
        case 3:
          packet.insert(at, packet.substr(below(static_cast<std::uint32_t>(at + 1)), below(20)));
          break;
        default:
          packet.resize(at);
      }
    }
    return packet;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return random_.below(limit); }

  Random random_;
};

// Whether it was taken.
template <typename Message>
bool survives(const std::string& packet, Result<Message> (*decode)(std::string_view)) {
  const Result<Message> message = decode(packet);
  if (!message) {
    EXPECT_NE(message.error().message, "") << packet;
    return false;
  }
  const std::string written = encode(*message);
  const Result<Message> again = decode(written);
  EXPECT_EQ(again ? encode(*again) : again.error().message, written);
  return true;
}

TEST(CodecProperty, TakesOrRefusesWhateverArrives) {
  std::size_t taken = 0, refused = 0;
  const bool all_ran = for_seeds(1000, [&](std::uint32_t seed) {
    Damage damage(seed);
    for (const std::string& packet : one_of_each()) {
      const std::string damaged = damage(packet);
      for (const bool was_taken :
           {survives(damaged, decode_to_gateway), survives(damaged, decode_to_supervisor)})
        ++(was_taken ? taken : refused);
    }
  });
  if (!all_ran) return;
  EXPECT_GT(taken, 100u);
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace poolwarden::link
