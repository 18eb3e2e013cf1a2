// What orders that come over the control socket do to the supervisor.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>

#include "cli/debug_order.h"
#include "cli/drill_order.h"
#include "cli/reloading.h"
#include "control/control_server.h"
#include "journal/death_register.h"
#include "journal/journal.h"
#include "loop/notifier.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {

class Orders {
 public:
  Orders(boost::asio::io_context& io, supervisor::Supervisor& supervisor, Reloading& reloading,
         DrillOrder& drill, DebugOrder& debug, journal::Journal& journal,
         const journal::DeathRegister& deaths, loop::Notifier& changes,
         std::function<boost::json::object()> status,
         std::function<boost::asio::awaitable<std::string>()> metrics)
      : io_(io),
        supervisor_(supervisor),
        reloading_(reloading),
        drill_(drill),
        debug_(debug),
        journal_(journal),
        deaths_(deaths),
        changes_(changes),
        status_(std::move(status)),
        metrics_(std::move(metrics)) {}

  boost::asio::awaitable<void> carry_out(const boost::json::object& request,
                                         control::Conversation& client);

 private:
  // How long the client is ready to wait for the outcome.
  struct Patience {
    bool wait = false;
    TimePoint deadline{};
  };
  // The pool is kept alive, but a reload may take it out of service meanwhile.
  struct PoolOrder {
    std::shared_ptr<supervisor::PoolRunner> runner;
    Patience patience;
  };
  static Patience patience(const boost::json::object& request);
  Result<PoolOrder> pool_order(const boost::json::object& request) const;
  bool is_in_service(const PoolOrder& order) const;
  static std::string name_of(const PoolOrder& order);  // "pool web"

  boost::asio::awaitable<void> carry_out_pool_order(const std::string& command,
                                                    const boost::json::object& request,
                                                    control::Conversation& client);
  boost::asio::awaitable<void> start(PoolOrder order, control::Conversation& client);
  // `done`: what to say when as many workers serve as the pool wants, and no more are there.
  boost::asio::awaitable<void> follow_start(PoolOrder order, std::string done,
                                            control::Conversation& client);
  boost::asio::awaitable<void> stop(PoolOrder order, control::Conversation& client);
  boost::asio::awaitable<void> scale(PoolOrder order, const boost::json::object& request,
                                     control::Conversation& client);
  boost::asio::awaitable<void> recycle(PoolOrder order, const boost::json::object& request,
                                       control::Conversation& client);
  boost::asio::awaitable<void> follow_recycle(PoolOrder order, pool::BatchId batch,
                                              control::Conversation& client);
  boost::asio::awaitable<void> events(const boost::json::object& request,
                                      control::Conversation& client);
  boost::asio::awaitable<void> healthcheck(const boost::json::object& request,
                                           control::Conversation& client);
  // reload_orders.cpp
  boost::asio::awaitable<void> plan(const boost::json::object& request,
                                    control::Conversation& client);
  boost::asio::awaitable<void> reload(const boost::json::object& request,
                                      control::Conversation& client);
  boost::asio::awaitable<void> follow_reload(ReloadAnswer answer, Patience patience,
                                             control::Conversation& client);
  boost::asio::awaitable<bool> send_findings(std::vector<std::string> findings,
                                             control::Conversation& client);

  boost::asio::io_context& io_;
  supervisor::Supervisor& supervisor_;
  Reloading& reloading_;
  DrillOrder& drill_;
  DebugOrder& debug_;
  journal::Journal& journal_;
  const journal::DeathRegister& deaths_;
  loop::Notifier& changes_;
  std::function<boost::json::object()> status_;
  std::function<boost::asio::awaitable<std::string>()> metrics_;
};

// What is sent before the last line. Made apart from the sending: g++ 12 cannot hold an initializer
// list across a co_await.
boost::json::object line_of(const char* key, boost::json::value value);

}  // namespace poolwarden::cli
