// JSON text -> messages of the control link. What codec_encode.cpp writes is read here; anything
// else is an error that names the message and the field.

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include "link/codec.h"
#include "link/json_fields.h"

namespace poolwarden::link {
namespace {

namespace json = boost::json;

WorkerId worker_id(JsonFields& fields) { return WorkerId{fields.number<std::uint64_t>("id")}; }

PoolMode pool_mode(JsonFields& fields) {
  return fields.choice("mode", PoolMode::StartFailure, [](PoolMode mode) { return name(mode); });
}

// The first error among the fields of a part, told to the whole.
void take_errors(JsonFields& whole, const JsonFields& part) {
  if (const auto error = part.finish()) whole.fail(*error);
}

std::vector<pool::Route> read_routes(JsonFields& fields) {
  std::vector<pool::Route> routes;
  const json::array* all = fields.array("routes");
  if (all == nullptr) return routes;
  for (const json::value& value : *all) {
    if (!value.is_object()) {
      fields.fail("routes", "holds what is no object");
      break;
    }
    JsonFields route(value.get_object(), "a route");
    routes.push_back({.host = route.text("host"), .path = route.text("path")});
    take_errors(fields, route);
  }
  return routes;
}

pool::Queue read_queue(JsonFields& fields) {
  const json::object* object = fields.object("queue");
  if (object == nullptr) return {};
  JsonFields queue(*object, "the queue");
  pool::Queue result;
  result.limit = queue.number<std::uint32_t>("limit");
  result.timeout = queue.duration_or_null("timeout");
  result.recycle_over = queue.number_or_null("recycle_over");
  result.restart_limit = queue.number_or_null("restart_limit");
  result.client_check = queue.duration_or_null("client_check");
  take_errors(fields, queue);
  return result;
}

Endpoint read_endpoint(JsonFields& fields) {
  const json::object* object = fields.object("endpoint");
  if (object == nullptr) return {};
  JsonFields at(*object, "the endpoint");
  Endpoint endpoint;
  if (at.has("unix")) {
    endpoint = worker::UnixEndpoint{.path = at.text("unix")};
  } else {
    worker::TcpEndpoint tcp;
    tcp.host = at.text("host");
    tcp.port = at.number<std::uint16_t>("port");
    endpoint = tcp;
  }
  take_errors(fields, at);
  return endpoint;
}

ToGateway read_welcome(JsonFields& fields) {
  Welcome message;
  const json::array* listeners = fields.array("listeners");
  if (listeners == nullptr) return message;
  for (const json::value& value : *listeners) {
    const json::string* listener = value.if_string();
    if (listener == nullptr) {
      fields.fail("listeners", "holds what is no text");
      break;
    }
    message.listeners.emplace_back(listener->data(), listener->size());
  }
  return message;
}

ToGateway read_pool_added(JsonFields& fields) {
  PoolAdded message;
  message.pool = fields.text("pool");
  message.board_slot = fields.number<std::uint32_t>("board_slot");
  message.routes = read_routes(fields);
  message.concurrency = fields.number<std::uint32_t>("concurrency");
  message.queue = read_queue(fields);
  message.when_open = fields.choice("when_open", pool::WhenOpen::Reset, [](pool::WhenOpen when) {
    return when == pool::WhenOpen::Reset ? "reset" : "respond_503";
  });
  message.request_timeout = fields.duration_or_null("request_timeout");
  message.mode = pool_mode(fields);
  return message;
}

ToGateway read_pool_mode_changed(JsonFields& fields) {
  PoolModeChanged message;
  message.pool = fields.text("pool");
  message.mode = pool_mode(fields);
  message.retry_after_seconds = fields.number_or_null("retry_after_seconds");
  return message;
}

ToGateway read_worker_ready(JsonFields& fields) {
  WorkerReady message;
  message.pool = fields.text("pool");
  message.id = worker_id(fields);
  message.board_slot = fields.number<std::uint32_t>("board_slot");
  message.endpoint = read_endpoint(fields);
  message.is_new = fields.flag("is_new");
  return message;
}

ToGateway read_drain_worker(JsonFields& fields) {
  DrainWorker message;
  message.id = worker_id(fields);
  message.cause = fields.choice("cause", dispatch::LossCause::WorkerDied,
                                [](dispatch::LossCause cause) { return dispatch::name(cause); });
  message.tunnel_limit = fields.duration_or_null("tunnel_limit");
  message.mark = fields.number<std::uint32_t>("mark");
  return message;
}

ToGateway read_worker_gone(JsonFields& fields) { return WorkerGone{.id = worker_id(fields)}; }
ToGateway read_pool_removed(JsonFields& fields) { return PoolRemoved{.pool = fields.text("pool")}; }
ToGateway read_routes_changed(JsonFields&) { return RoutesChanged{}; }
ToGateway read_abandon_worker(JsonFields& fields) { return AbandonWorker{.id = worker_id(fields)}; }
ToGateway read_last_call(JsonFields&) { return LastCall{}; }
ToGateway read_quiesce(JsonFields&) { return Quiesce{}; }

ToSupervisor read_hello(JsonFields& fields) { return Hello{.pid = fields.number<int>("pid")}; }
ToSupervisor read_demand(JsonFields& fields) { return Demand{.pool = fields.text("pool")}; }
ToSupervisor read_worker_drained(JsonFields& fields) {
  return WorkerDrained{.id = worker_id(fields), .mark = fields.number<std::uint32_t>("mark")};
}
ToSupervisor read_quiesced(JsonFields&) { return Quiesced{}; }
ToSupervisor read_drain_broken(JsonFields& fields) { return DrainBroken{.id = worker_id(fields)}; }

ToSupervisor read_request_timed_out(JsonFields& fields) {
  return RequestTimedOut{.id = worker_id(fields)};
}
ToSupervisor read_request_cut_short(JsonFields& fields) {
  RequestCutShort message;
  message.id = worker_id(fields);
  message.method = fields.text("method");
  message.path = fields.text("path");
  message.age = fields.duration_or_null("age").value_or(Duration());
  return message;
}

template <typename Message>
struct Kind {
  std::string_view name;
  Message (*read)(JsonFields& fields);
};

constexpr Kind<ToGateway> kToGateway[] = {
    {"welcome", read_welcome},
    {"pool_added", read_pool_added},
    {"pool_mode_changed", read_pool_mode_changed},
    {"pool_removed", read_pool_removed},
    {"routes_changed", read_routes_changed},
    {"worker_ready", read_worker_ready},
    {"drain_worker", read_drain_worker},
    {"worker_gone", read_worker_gone},
    {"abandon_worker", read_abandon_worker},
    {"last_call", read_last_call},
    {"quiesce", read_quiesce},
};
constexpr Kind<ToSupervisor> kToSupervisor[] = {
    {"hello", read_hello},
    {"demand", read_demand},
    {"worker_drained", read_worker_drained},
    {"quiesced", read_quiesced},
    {"drain_broken", read_drain_broken},
    {"request_timed_out", read_request_timed_out},
    {"request_cut_short", read_request_cut_short},
};

template <typename Message, std::size_t Count>
Result<Message> decode(std::string_view packet, const Kind<Message> (&kinds)[Count]) {
  boost::system::error_code error;
  const json::value value = json::parse({packet.data(), packet.size()}, error);
  if (error) return failure("cannot read message: it is no JSON: " + error.message());
  if (!value.is_object()) return failure("cannot read message: it is no JSON object");
  JsonFields unknown(value.get_object(), "message");
  const std::string kind = unknown.text("kind");
  for (const Kind<Message>& known : kinds) {
    if (known.name != kind) continue;
    JsonFields fields(value.get_object(), "message " + kind);
    fields.text("kind");
    Message message = known.read(fields);
    if (const auto wrong = fields.finish()) return *wrong;
    return message;
  }
  unknown.fail("kind", "is none of the known words");
  return *unknown.finish();
}

}  // namespace

Result<ToGateway> decode_to_gateway(std::string_view packet) { return decode(packet, kToGateway); }

Result<ToSupervisor> decode_to_supervisor(std::string_view packet) {
  return decode(packet, kToSupervisor);
}

}  // namespace poolwarden::link
