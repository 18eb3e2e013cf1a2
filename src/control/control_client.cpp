#include "control/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "loop/unique_fd.h"

namespace poolwarden::control {
namespace {

Error no_answer() {
  return {std::make_error_code(std::errc::timed_out), "the supervisor did not answer"};
}

// When the whole exchange has to be over; absent: whenever it is.
using Deadline = std::optional<TimePoint>;

// Never zero, which would be no limit for setsockopt(2), and never negative, as for poll(2).
template <typename Unit>
std::int64_t left_until(TimePoint deadline) {
  const auto left = std::chrono::ceil<Unit>(deadline - Clock::now()).count();
  return std::max<std::int64_t>(left, 1);
}

// A supervisor that stands still accepts nobody: when the queue before it is full, connect(2) waits
// as send(2) does (SO_SNDTIMEO of socket(7)).
void limit_sending(int fd, TimePoint deadline) {
  const auto micros = left_until<std::chrono::microseconds>(deadline);
  const timeval limit{micros / 1'000'000, micros % 1'000'000};
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Result<loop::UniqueFd> connect_to(const std::string& path, Deadline deadline) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof(where.sun_path))
    return failure("cannot connect to " + path + ": the path is longer than 107 bytes");
  std::memcpy(where.sun_path, path.data(), path.size());
  loop::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd && deadline) limit_sending(fd.get(), *deadline);
  if (fd && ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0) return fd;
  if (errno == EAGAIN) return no_answer();
  return errno_error(errno, "cannot connect to the supervisor at " + path);
}

Result<void> write_all(int fd, const std::string& text, Deadline deadline) {
  std::size_t done = 0;
  while (done < text.size()) {
    if (deadline) limit_sending(fd, *deadline);
    const ssize_t sent = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return no_answer();
    // It does not want to hear all, and has said why.
    if (sent < 0 && errno == EPIPE) return {};
    if (sent < 0) return errno_error(errno, "cannot send the request");
    done += static_cast<std::size_t>(sent);
  }
  return {};
}

// Whole lines out of what arrives.
class LineReader {
 public:
  LineReader(int fd, Deadline deadline) : fd_(fd), deadline_(deadline) {}

  Result<std::string> next() {
    for (;;) {
      if (const auto end = text_.find('\n'); end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
      }
      if (auto more = read_more(); !more) return more.error();
    }
  }

 private:
  Result<void> read_more() {
    if (deadline_ && Clock::now() >= *deadline_) return no_answer();
    pollfd waiting{fd_, POLLIN, 0};
    const int limit =
        deadline_ ? static_cast<int>(left_until<std::chrono::milliseconds>(*deadline_)) : -1;
    const int ready = ::poll(&waiting, 1, limit);
    if (ready < 0 && errno == EINTR) return {};
    if (ready == 0) return no_answer();
    char buffer[16 * 1024];
    const ssize_t got = ::read(fd_, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) return errno_error(errno, "cannot read the supervisor's answer");
    if (got == 0)
      return Error{std::make_error_code(std::errc::connection_reset),
                   "the supervisor ended before it had answered"};
    text_.append(buffer, static_cast<std::size_t>(got));
    return {};
  }

  int fd_;
  Deadline deadline_;
  std::string text_;
};

}  // namespace

Result<Answer> ask(const std::string& path, const boost::json::object& request,
                   const std::function<void(const boost::json::object&)>& on_line,
                   std::optional<Duration> within) {
  const Deadline deadline = within ? Deadline(Clock::now() + *within) : std::nullopt;
  auto socket = connect_to(path, deadline);
  if (!socket) return socket.error();
  if (auto sent = write_all(socket->get(), boost::json::serialize(request) + "\n", deadline); !sent)
    return sent.error();
  LineReader lines(socket->get(), deadline);
  for (;;) {
    auto line = lines.next();
    if (!line) return line.error();
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(*line, error);
    if (error || !value.is_object())
      return failure("cannot read the supervisor's answer: " + *line);
    const boost::json::object& object = value.get_object();
    const boost::json::value* exit_code = object.if_contains("exit");
    if (!exit_code || !exit_code->is_int64()) {
      on_line(object);
      continue;
    }
    Answer answer{static_cast<int>(exit_code->get_int64()), "", {}};
    if (const auto* message = object.if_contains("message"); message && message->is_string())
      answer.message = message->get_string().c_str();
    if (const auto* data = object.if_contains("data"); data && data->is_object())
      answer.data = data->get_object();
    return answer;
  }
}

}  // namespace poolwarden::control
