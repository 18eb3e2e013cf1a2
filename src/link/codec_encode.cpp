// Messages of the control link -> JSON text. The words and fields here are read back by
// codec_decode.cpp.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/match.h"
#include "link/codec.h"

namespace poolwarden::link {
namespace {

namespace json = boost::json;

json::string_view text(std::string_view words) { return {words.data(), words.size()}; }

std::string_view word(pool::WhenOpen when) {
  switch (when) {
    case pool::WhenOpen::Respond503:
      return "respond_503";
    case pool::WhenOpen::Reset:
      return "reset";
  }
  return "unknown";
}

json::value nanoseconds(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(*duration).count();
}

json::value number_or_null(const std::optional<std::uint32_t>& number) {
  if (!number) return nullptr;
  return *number;
}

json::object endpoint_object(const Endpoint& endpoint) {
  return std::visit(Match{
                        [](const worker::UnixEndpoint& at) -> json::object {
                          return {{"unix", text(at.path)}};
                        },
                        [](const worker::TcpEndpoint& at) -> json::object {
                          return {{"host", text(at.host)}, {"port", at.port}};
                        },
                    },
                    endpoint);
}

json::object queue_object(const pool::Queue& queue) {
  return {
      {"limit", queue.limit},
      {"timeout", nanoseconds(queue.timeout)},
      {"recycle_over", number_or_null(queue.recycle_over)},
      {"restart_limit", number_or_null(queue.restart_limit)},
      {"client_check", nanoseconds(queue.client_check)},
  };
}

json::array route_array(const std::vector<pool::Route>& routes) {
  json::array all;
  for (const pool::Route& route : routes) {
    all.push_back(json::object{{"host", text(route.host)}, {"path", text(route.path)}});
  }
  return all;
}

json::object object(const Welcome& message) {
  json::array listeners;
  for (const std::string& listener : message.listeners) listeners.push_back(text(listener));
  return {{"kind", "welcome"}, {"listeners", std::move(listeners)}};
}

json::object object(const PoolAdded& message) {
  return {
      {"kind", "pool_added"},
      {"pool", text(message.pool)},
      {"board_slot", message.board_slot},
      {"routes", route_array(message.routes)},
      {"concurrency", message.concurrency},
      {"queue", queue_object(message.queue)},
      {"when_open", text(word(message.when_open))},
      {"request_timeout", nanoseconds(message.request_timeout)},
      {"mode", text(name(message.mode))},
  };
}

json::object object(const PoolModeChanged& message) {
  return {
      {"kind", "pool_mode_changed"},
      {"pool", text(message.pool)},
      {"mode", text(name(message.mode))},
      {"retry_after_seconds", number_or_null(message.retry_after_seconds)},
  };
}

json::object object(const PoolRemoved& message) {
  return {{"kind", "pool_removed"}, {"pool", text(message.pool)}};
}

json::object object(const RoutesChanged&) { return {{"kind", "routes_changed"}}; }

json::object object(const WorkerReady& message) {
  return {
      {"kind", "worker_ready"},
      {"pool", text(message.pool)},
      {"id", worker::number(message.id)},
      {"board_slot", message.board_slot},
      {"endpoint", endpoint_object(message.endpoint)},
      {"is_new", message.is_new},
  };
}

json::object object(const DrainWorker& message) {
  return {
      {"kind", "drain_worker"},
      {"id", worker::number(message.id)},
      {"cause", text(dispatch::name(message.cause))},
      {"tunnel_limit", nanoseconds(message.tunnel_limit)},
      {"mark", message.mark},
  };
}

json::object object(const WorkerGone& message) {
  return {{"kind", "worker_gone"}, {"id", worker::number(message.id)}};
}

json::object object(const AbandonWorker& message) {
  return {{"kind", "abandon_worker"}, {"id", worker::number(message.id)}};
}

json::object object(const LastCall&) { return {{"kind", "last_call"}}; }
json::object object(const Quiesce&) { return {{"kind", "quiesce"}}; }

json::object object(const Hello& message) { return {{"kind", "hello"}, {"pid", message.pid}}; }

json::object object(const Demand& message) {
  return {{"kind", "demand"}, {"pool", text(message.pool)}};
}

json::object object(const WorkerDrained& message) {
  return {
      {"kind", "worker_drained"},
      {"id", worker::number(message.id)},
      {"mark", message.mark},
  };
}

json::object object(const Quiesced&) { return {{"kind", "quiesced"}}; }

json::object object(const DrainBroken& message) {
  return {{"kind", "drain_broken"}, {"id", worker::number(message.id)}};
}

json::object object(const RequestTimedOut& message) {
  return {{"kind", "request_timed_out"}, {"id", worker::number(message.id)}};
}

json::object object(const RequestCutShort& message) {
  return {
      {"kind", "request_cut_short"},     {"id", worker::number(message.id)},
      {"method", text(message.method)},  {"path", text(message.path)},
      {"age", nanoseconds(message.age)},
  };
}

template <typename Message>
std::string encoded(const Message& message) {
  return std::visit([](const auto& it) { return json::serialize(object(it)); }, message);
}

}  // namespace

std::string encode(const ToGateway& message) { return encoded(message); }
std::string encode(const ToSupervisor& message) { return encoded(message); }

}  // namespace poolwarden::link
