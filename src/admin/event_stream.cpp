#include "admin/event_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <memory>

#include "journal/json_values.h"

namespace poolwarden::admin {
namespace {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kHeartbeat{15};  // also how soon a peer that has gone is noticed
constexpr std::size_t kMaxWaiting = 2000;

// What came and is not sent yet. Touched on the admin thread only.
struct Waiting {
  explicit Waiting(const Executor& executor) : wake(executor) {}
  std::deque<journal::Entry> entries;
  bool overflowed = false;
  WakeTimer wake;
};

std::string as_server_sent(const journal::Entry& entry) {
  return "id: " + std::to_string(entry.sequence) +
         "\nevent: " + std::string(pool::type_of(entry.event.kind).name) +
         "\ndata: " + journal::serialized(journal::as_json(entry)) + "\n\n";
}

// Called on the recording thread: only hands the event over.
journal::Subscription subscribe(journal::Journal& journal, const Executor& executor,
                                const std::shared_ptr<Waiting>& waiting) {
  return journal.follow([executor, weak = std::weak_ptr(waiting)](const journal::Entry& entry) {
    asio::post(executor, [weak, entry] {
      const std::shared_ptr<Waiting> there = weak.lock();
      if (!there) return;
      there->overflowed = there->overflowed || there->entries.size() >= kMaxWaiting;
      if (!there->overflowed) there->entries.push_back(entry);
      there->wake.cancel();
    });
  });
}

asio::awaitable<bool> write(Stream& stream, const std::string& text) {
  stream.expires_after(kTimeout);
  const auto [error, sent] = co_await asio::async_write(stream, asio::buffer(text), kAwait);
  co_return !error;
}

// The text of all that waits and was not sent before, taken out.
std::string take(Waiting& waiting, std::uint64_t& last_sent, const std::string& pool) {
  std::string text;
  for (const journal::Entry& entry : waiting.entries) {
    if (entry.sequence <= last_sent) continue;
    last_sent = entry.sequence;
    if (pool.empty() || entry.event.pool == pool) text += as_server_sent(entry);
  }
  waiting.entries.clear();
  return text;
}

// Is among the followers for as long as it lives.
class Following {
 public:
  Following(Followers& followers, WakeTimer& wake) : followers_(followers), wake_(wake) {
    followers_.insert(&wake_);
  }
  ~Following() { followers_.erase(&wake_); }
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

 private:
  Followers& followers_;
  WakeTimer& wake_;
};

}  // namespace

asio::awaitable<void> stream_events(Stream& stream, journal::Journal& journal, std::uint64_t after,
                                    const std::string& pool, Followers& followers) {
  const Executor executor = stream.get_executor();
  const auto waiting = std::make_shared<Waiting>(executor);
  const Following following(followers, waiting->wake);
  const journal::Subscription subscription = subscribe(journal, executor, waiting);
  // Subscribed first: nothing is missed, and what comes twice is left out by its number.
  for (journal::Entry& entry : journal.recent(journal::kEventsKept, after)) {
    waiting->entries.push_back(std::move(entry));
  }
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
      "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
  if (!co_await write(stream, head)) co_return;
  std::uint64_t last_sent = after;
  while (!waiting->overflowed && stream.socket().is_open()) {
    std::string text = take(*waiting, last_sent, pool);
    if (text.empty()) {
      waiting->wake.expires_after(kHeartbeat);
      const auto [woken] = co_await waiting->wake.async_wait(kAwait);
      if (woken) continue;
      text = ": still here\n\n";
    }
    if (!co_await write(stream, text)) co_return;
  }
}

}  // namespace poolwarden::admin
