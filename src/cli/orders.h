// What orders that come over the control socket do to the supervisor.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>

#include "control/control_server.h"
#include "journal/journal.h"
#include "loop/notifier.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {

class Orders {
 public:
  Orders(boost::asio::io_context& io, supervisor::Supervisor& supervisor, journal::Journal& journal,
         loop::Notifier& changes, std::function<boost::json::object()> status)
      : io_(io),
        supervisor_(supervisor),
        journal_(journal),
        changes_(changes),
        status_(std::move(status)) {}

  boost::asio::awaitable<void> carry_out(const boost::json::object& request,
                                         control::Conversation& client);

 private:
  struct PoolOrder {
    supervisor::PoolRunner* runner = nullptr;
    bool wait = false;
    TimePoint deadline{};
  };
  Result<PoolOrder> pool_order(const boost::json::object& request) const;

  boost::asio::awaitable<void> start(PoolOrder order, control::Conversation& client);
  boost::asio::awaitable<void> stop(PoolOrder order, control::Conversation& client);
  boost::asio::awaitable<void> recycle(PoolOrder order, const boost::json::object& request,
                                       control::Conversation& client);
  boost::asio::awaitable<void> follow_recycle(PoolOrder order, pool::BatchId batch,
                                              control::Conversation& client);
  boost::asio::awaitable<void> events(const boost::json::object& request,
                                      control::Conversation& client);

  boost::asio::io_context& io_;
  supervisor::Supervisor& supervisor_;
  journal::Journal& journal_;
  loop::Notifier& changes_;
  std::function<boost::json::object()> status_;
};

}  // namespace poolwarden::cli
