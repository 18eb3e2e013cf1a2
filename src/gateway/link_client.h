// The gateway's end of the control link: carries out what the supervisor says, for as long as the
// link lasts; its end is the end of all.

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "gateway/io.h"
#include "gateway/listener.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "gateway/session_table.h"
#include "link/channel.h"
#include "link/messages.h"
#include "link/scoreboard.h"
#include "loop/unique_fd.h"

namespace poolwarden::gateway {

class LinkClient {
 public:
  LinkClient(asio::io_context& io, loop::UniqueFd socket, link::Scoreboard& board);

  // Returns when the link has ended; sessions end soon after.
  asio::awaitable<void> run();

  // What made it end, unless the supervisor did.
  const std::optional<Error>& error() const { return error_; }

 private:
  Result<void> take(link::Packet packet);
  Result<void> apply(const link::ToGateway& message);
  Result<void> welcome(const link::Welcome& message, std::vector<loop::UniqueFd> sockets);
  // Those that always fit.
  void carry_out(const link::Welcome&) {}  // taken with its sockets
  void carry_out(const link::PoolModeChanged& change);
  void carry_out(const link::PoolRemoved& removed);
  void carry_out(const link::RoutesChanged&);
  void carry_out(const link::DrainWorker& mark);
  void carry_out(const link::AbandonWorker& lost);
  void carry_out(const link::WorkerGone& gone);
  void carry_out(const link::LastCall&);
  void carry_out(const link::Quiesce&);
  void tell_if_quiesced();
  void tell(const link::ToSupervisor& message);
  void end();
  Task<> stop_listening();
  Task<> keep_sweeping();

  asio::io_context& io_;
  link::Scoreboard& board_;
  link::Channel channel_;
  Router router_;
  SessionTable sessions_;
  Surroundings around_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Timer sweep_timer_;
  Timer handshakes_;
  bool welcomed_ = false;
  bool accepting_ = false;  // from the first routes on
  bool quiescing_ = false;
  bool listening_ = true;
  bool quiesced_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace poolwarden::gateway
