#include "sample/answers.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <string>

#include "sample/misbehaviours.h"
#include "sample/page.h"

namespace poolwarden::sample {
namespace {

namespace json = boost::json;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::size_t kBlock = std::size_t{64} * 1024;

Task<void> show_page(Exchange& exchange, SampleState& state) {
  const std::string page = sample_page(state, exchange.request()[http::field::host]);
  co_await exchange.answer(200, "text/html; charset=utf-8", page);
}

Task<void> info(Exchange& exchange, SampleState& state) {
  json::object headers;
  for (const auto& field : exchange.request()) {
    headers[field.name_string()] = std::string_view(field.value());
  }
  const json::object about{
      {"pool", state.identity.pool},
      {"worker", state.identity.slot},
      {"generation", state.identity.generation},
      {"pid", state.identity.pid},
      {"requests", state.requests},
      {"method", std::string_view(exchange.request().method_string())},
      {"path", exchange.path()},
      {"headers", headers},
  };
  co_await exchange.answer(200, kJson, json::serialize(about) + "\n");
}

Task<void> healthy(Exchange& exchange, SampleState& state) {
  const unsigned code = state.sick ? 500 : 200;
  const std::string_view text = state.sick ? "sick\n" : "ok\n";
  co_await exchange.answer(code, kText, text);
}

Task<void> echo(Exchange& exchange, SampleState&) {
  std::string_view type = exchange.request()[http::field::content_type];
  if (type.empty()) type = "application/octet-stream";
  std::string_view part = co_await exchange.read_body();  // before the answer: 100 Continue first
  co_await exchange.begin(type, std::nullopt);
  while (!part.empty()) {
    co_await exchange.write(part);
    part = co_await exchange.read_body();
  }
  co_await exchange.end();
}

Task<void> slow(Exchange& exchange, SampleState&) {
  Timer timer(exchange.socket().get_executor());
  timer.expires_after(exchange.duration("seconds", "s", "2"));
  co_await timer.async_wait(kUseTask);
  co_await exchange.answer(200, kText, "at last\n");
}

Task<void> stream(Exchange& exchange, SampleState&) {
  Timer timer(exchange.socket().get_executor());
  const auto interval = exchange.duration("interval", "ms", "100");
  const std::uint64_t chunks = exchange.number("chunks", 10);
  co_await exchange.begin(kText, std::nullopt);
  for (std::uint64_t i = 1; i <= chunks; ++i) {
    const std::string line = "chunk " + std::to_string(i) + "\n";
    co_await exchange.write(line);
    timer.expires_after(interval);
    co_await timer.async_wait(kUseTask);
  }
  co_await exchange.end();
}

Task<void> bytes(Exchange& exchange, SampleState&) {
  std::uint64_t left = exchange.number("count", 1000);
  const std::string block(std::min<std::uint64_t>(left, kBlock), 'x');
  co_await exchange.begin("application/octet-stream", left);
  while (left > 0) {
    const std::size_t size = std::min<std::uint64_t>(left, kBlock);
    co_await exchange.write(std::string_view(block).substr(0, size));
    left -= size;
  }
}

Task<void> status(Exchange& exchange, SampleState&) {
  const auto code = static_cast<unsigned>(exchange.number("code", 200) % 1000);
  const std::string body = "status " + std::to_string(code) + "\n";
  co_await exchange.answer(code, kText, body);
}

Task<void> count(Exchange& exchange, SampleState& state) {
  if (exchange.request().method() == http::verb::post) ++state.count;
  co_await exchange.answer(200, kText, std::to_string(state.count) + "\n");
}

using Answer = Task<void> (*)(Exchange&, SampleState&);
const std::map<std::string_view, Answer> kAnswers = {
    {"/", show_page},
    {"/bytes", bytes},
    {"/count", count},
    {"/crash", crash},
    {"/echo", echo},
    {"/exit", leave},
    {"/flood", flood},
    {"/fork", fork_descendants},
    {"/hang", hang},
    {"/healthz", healthy},
    {"/ignore-term", ignore_term},
    {"/info", info},
    {"/leak", leak},
    {"/reserve", reserve},
    {"/sick", sicken},
    {"/slow", slow},
    {"/status", status},
    {"/stream", stream},
    {"/unhealthy", report_unhealthy},
};

}  // namespace

Task<void> answer(Exchange& exchange, SampleState& state) {
  const auto found = kAnswers.find(exchange.path());
  if (found != kAnswers.end()) {
    co_await found->second(exchange, state);
  } else {
    co_await exchange.answer(404, kText, "the sample worker has no " + exchange.path() + "\n");
  }
}

}  // namespace poolwarden::sample
