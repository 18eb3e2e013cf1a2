#include "gateway/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>

#include "gateway/error_page.h"
#include "gateway/upstream_head.h"

namespace poolwarden::gateway {

constexpr std::size_t kKeptInbox = 16 * 1024;  // of a connection that waits
constexpr std::size_t kLingerBytes = 1024 * 1024;

Session::Session(Surroundings& around, Socket socket, std::string address,
                 link::ListenerRow& listener)
    : around_(around),
      client_(std::move(socket), std::move(address), around.sessions.now()),
      listener_(listener) {
  listener_.open.fetch_add(1, std::memory_order_relaxed);
  around_.sessions.add(*this);
}

Session::~Session() {
  listener_.open.fetch_sub(1, std::memory_order_relaxed);
  around_.sessions.remove(*this);
}

Task<> run_session(std::unique_ptr<Session> session) { co_await session->run(); }

Task<> Session::run() {
  while (co_await serve_request()) {
    first_request_ = false;
    const bool is_large = client_.inbox.size() == 0 && client_.inbox.capacity() > kKeptInbox;
    if (is_large) client_.inbox.shrink_to_fit();
  }
  if (linger_ && client_.cut != Cut::Abandoned) co_await close_gently();
}

Task<bool> Session::serve_request() {
  request_.reset();
  bool closed = false;
  const std::optional<HeadError> error = co_await read_head(closed);
  if (closed) co_return false;
  if (error) co_return co_await reject(*error);
  if (const std::optional<HeadError> malformed = parse_request_head(
          view(client_.inbox).substr(0, scanner_.length()), around_.request_head)) {
    co_return co_await reject(*malformed);
  }
  PoolGate* gate = prepare_request();
  if (gate == nullptr) {
    co_return co_await answer(around_.board.unrouted,
                              {.reason = dispatch::Reason::NoRoute, .sentence = {}});
  }
  take_ticket();
  co_return co_await have_answered(*gate);
}

// Until the inbox begins with a whole head, whose length the scanner knows then.
Task<std::optional<HeadError>> Session::read_head(bool& closed) {
  scanner_.reset();
  for (;;) {
    // RFC 9112 2.2: empty lines before a request are ignored.
    while (view(client_.inbox).starts_with("\r\n")) client_.inbox.consume(2);
    awaits_request_ = client_.inbox.size() == 0;
    if (!awaits_request_) {
      if (request_.began == TimePoint()) request_.began = Clock::now();
      switch (scanner_.scan(view(client_.inbox))) {
        case HeadScanner::Found::End:
          client_.reading.disarm();
          co_return std::nullopt;
        case HeadScanner::Found::BareLineFeed:
          co_return HeadError{.sentence = "A line ends in a bare line feed."};
        case HeadScanner::Found::FoldedLine:
          co_return HeadError{.sentence = "A field is folded over several lines."};
        case HeadScanner::Found::More:
          break;
      }
      if (client_.inbox.size() > kMaxHead) {
        co_return HeadError{431, dispatch::Reason::HeadTooLarge,
                            sentence_of(dispatch::Reason::HeadTooLarge)};
      }
    } else if (client_.cut != Cut::None) {
      closed = true;
      co_return std::nullopt;
    }
    const Duration limit = awaits_request_ ? first_byte_limit() : kHeadLimit;
    if (!co_await read_more(limit, awaits_request_ ? Cut::Idle : Cut::HeadTimeout)) {
      closed = client_.cut != Cut::HeadTimeout;
      co_return HeadError{408, dispatch::Reason::ClientTimeout,
                          sentence_of(dispatch::Reason::ClientTimeout)};
    }
  }
}

Duration Session::first_byte_limit() const {
  if (around_.sessions.quiescing()) return kQuiesceLimit;
  return first_request_ ? kHeadLimit : kIdleLimit;
}

// `limit` counts from the wait's begin for a connection without a request, and from the head's
// first byte for a head, however slowly it drips.
Task<bool> Session::read_more(Duration limit, Cut reason) {
  const bool goes_on = client_.reading.reason == reason && reason == Cut::HeadTimeout &&
                       client_.reading.deadline != TimePoint::max();
  // A connection that is taken while the gateway quiesces has not been looked at for some time.
  const TimePoint begin = around_.sessions.quiescing() ? Clock::now() : client_.now;
  if (!goes_on) client_.reading.arm(begin + limit, reason);
  auto [error, count] =
      co_await client_.socket.async_read_some(client_.inbox.prepare(kReadSize), as_result);
  if (error) {
    client_.reading.disarm();
    co_return false;
  }
  client_.inbox.commit(count);
  // The wait ended while these bytes were on their way to here: they are not left unanswered.
  if (client_.cut == Cut::Idle) client_.cut = Cut::None;
  co_return true;
}

// Takes from the parsed head what outlives it, and uses up its bytes. Null: no pool has it.
PoolGate* Session::prepare_request() {
  const RequestHead& head = around_.request_head;
  PoolGate* gate = around_.router.find(head.host, head.path);
  request_.received = scanner_.length();
  request_.minor_version = head.minor_version;
  request_.is_head = head.method == "HEAD";
  request_.is_idempotent = dispatch::is_idempotent(head.method);
  request_.keep_alive = head.wants_keep_alive();
  request_.expects_continue = head.expects_continue && head.framing != Framing::None;
  request_.upgrades = !head.upgrade.empty();
  request_.body = BodyReader(head.framing, head.length);
  request_.chunked = head.framing == Framing::Chunked;
  if (head.request_id.empty()) {
    around_.ids.write(request_.id);
  } else {
    request_.id = head.request_id;
  }
  if (gate != nullptr) write_upstream_head(head, client_.address, request_.id, request_.head);
  client_.inbox.consume(scanner_.length());
  request_.received += client_.inbox.size();
  return gate;
}

// Closing while the client still sends would reset the connection, and could take the answer with
// it before the client has read it.
Task<> Session::close_gently() {
  ::shutdown(client_.socket.native_handle(), SHUT_WR);
  client_.cut = Cut::None;
  std::size_t budget = kLingerBytes;
  client_.reading.arm(client_.now + kLingerLimit, Cut::LingerOver);
  while (client_.cut == Cut::None && budget != 0) {
    client_.inbox.consume(client_.inbox.size());
    auto [error, count] =
        co_await client_.socket.async_read_some(client_.inbox.prepare(kReadSize), as_result);
    if (error) break;
    budget -= std::min(budget, count);
  }
  client_.reading.disarm();
}

bool Session::watches_client() const {
  return forwarder_ != nullptr ? !is_tunnel() : queued_in_ != nullptr;
}

// Whether a request came in time that has not been read yet.
bool Session::has_come() {
  char byte;
  return client_.reading.reason == Cut::Idle &&
         ::recv(client_socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Session::sweep(TimePoint now) {
  if (client_.reading.expired(now) && !has_come()) return cut(client_.reading.reason);
  if (client_.writing.expired(now)) return cut(client_.writing.reason);
  if (request_deadline_ <= now && !is_tunnel()) return cut(Cut::RequestTimeout);
  if (client_.cut != Cut::None) return cut(client_.cut);  // it may have missed the first time
  if (forwarder_ != nullptr) forwarder_->sweep(now);
}

bool Session::is_tunnel() const { return forwarder_ != nullptr && forwarder_->is_tunnel(); }

// Makes whatever this session waits for end.
void Session::cut(Cut why) {
  client_.cut_off(why);
  error_code ignored;
  client_.socket.cancel(ignored);
  if (forwarder_ != nullptr) forwarder_->cut();
  if (queued_in_ != nullptr) {
    queued_in_->abandon(request_.ticket.id);
    client_left();
  }
}

// A request may be on its way already: closing at once would lose it.
void Session::quiesce() {
  if (!awaits_request_ || client_.inbox.size() != 0) return;
  // The last sweep may be long ago where the machine is busy.
  client_.reading.arm(std::min(client_.reading.deadline, Clock::now() + kQuiesceLimit), Cut::Idle);
}

}  // namespace poolwarden::gateway
