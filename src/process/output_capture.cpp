#include "process/output_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "loop/rethrow.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kChunk = 16 * 1024;
constexpr int kChunksAtOnce = 4;     // then others have their turn
constexpr int kChunksAtTheEnd = 64;  // a pipe holds 64 KiB; who still writes is not waited for

}  // namespace

OutputCapture::OutputCapture(asio::io_context& io, OnLine on_line)
    : io_(io), on_line_(std::move(on_line)), streams_{Stream(io), Stream(io)}, window_timer_(io) {}

Result<std::shared_ptr<OutputCapture>> OutputCapture::make(asio::io_context& io, OnLine on_line) {
  std::shared_ptr<OutputCapture> capture(new OutputCapture(io, std::move(on_line)));
  for (int number = 0; number < 2; ++number)
    if (auto opened = capture->open(number); !opened) return opened.error();
  return capture;
}

Result<void> OutputCapture::open(int number) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return errno_error(errno, "cannot make a pipe");
  loop::UniqueFd read_end(ends[0]);
  child_ends_[static_cast<std::size_t>(number)].reset(ends[1]);
  // Of our end only: the worker's writes must block as it expects.
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  boost::system::error_code error;
  streams_[static_cast<std::size_t>(number)].pipe.assign(read_end.get(), error);
  if (error) return Error{error, "cannot watch a pipe: " + error.message()};
  read_end.release();
  return {};
}

void OutputCapture::close_child_ends() {
  for (loop::UniqueFd& end : child_ends_) end.reset();
}

void OutputCapture::start() {
  for (int number = 0; number < 2; ++number) asio::co_spawn(io_, follow(number), loop::rethrow);
}

asio::awaitable<void> OutputCapture::follow(int number) {
  const auto self = shared_from_this();
  auto& pipe = streams_[static_cast<std::size_t>(number)].pipe;
  while (pipe.is_open()) {
    const auto [error] = co_await pipe.async_wait(asio::posix::descriptor_base::wait_read,
                                                  asio::as_tuple(asio::use_awaitable));
    if (error || !pipe.is_open()) co_return;
    Progress progress = Progress::More;
    for (int chunks = 0; progress == Progress::More && chunks < kChunksAtOnce; ++chunks)
      progress = read_some(number);
    if (progress == Progress::Ended) co_return;
    co_await asio::post(io_, asio::use_awaitable);
  }
}

OutputCapture::Progress OutputCapture::read_some(int number) {
  Stream& stream = streams_[static_cast<std::size_t>(number)];
  char buffer[kChunk];
  const ssize_t count = ::read(stream.pipe.native_handle(), buffer, sizeof buffer);
  if (count < 0 && errno == EINTR) return Progress::More;
  if (count < 0 && errno == EAGAIN) return Progress::Waiting;
  const auto emit = [&](std::string line) { take(number, std::move(line)); };
  if (count <= 0) {
    stream.lines.finish(emit);
    boost::system::error_code ignored;
    stream.pipe.close(ignored);
    return Progress::Ended;
  }
  stream.lines.feed({buffer, static_cast<std::size_t>(count)}, emit);
  return Progress::More;
}

void OutputCapture::take(int number, std::string line) {
  keep({number == 1, line});
  if (has_room(Clock::now())) {
    on_line_(number == 1, std::move(line));
  } else if (++dropped_ == 1) {
    asio::co_spawn(io_, tell_dropped_at(window_end_), loop::rethrow);
  }
}

void OutputCapture::keep(diagnosis::WrittenLine line) {
  kept_bytes_ += line.text.size() + 1;
  kept_.push_back(std::move(line));
  while (kept_.size() > kKeptLines || kept_bytes_ > kKeptBytes) {
    kept_bytes_ -= kept_.front().text.size() + 1;
    kept_.pop_front();
  }
}

bool OutputCapture::has_room(TimePoint now) {
  if (now >= window_end_) {
    tell_dropped();
    window_end_ = now + std::chrono::seconds(1);
    lines_in_window_ = 0;
  }
  return ++lines_in_window_ <= kLinesPerSecond;
}

asio::awaitable<void> OutputCapture::tell_dropped_at(TimePoint end) {
  const auto self = shared_from_this();
  window_timer_.expires_at(end);
  const auto [error] = co_await window_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!error) tell_dropped();
}

void OutputCapture::tell_dropped() {
  if (dropped_ == 0) return;
  on_line_(true, std::to_string(std::exchange(dropped_, 0)) + " lines dropped: more than " +
                     std::to_string(kLinesPerSecond) + " in a second");
}

void OutputCapture::drain() {
  for (int number = 0; number < 2; ++number) {
    Stream& stream = streams_[static_cast<std::size_t>(number)];
    if (!stream.pipe.is_open()) continue;
    Progress progress = Progress::More;
    for (int chunks = 0; progress == Progress::More && chunks < kChunksAtTheEnd; ++chunks)
      progress = read_some(number);
    if (progress == Progress::Ended) continue;
    stream.lines.finish([&](std::string line) { take(number, std::move(line)); });
    boost::system::error_code ignored;
    stream.pipe.close(ignored);
  }
  window_timer_.cancel();
  tell_dropped();
}

std::string OutputCapture::last_output() const {
  std::string text;
  for (const diagnosis::WrittenLine& line : kept_) text += line.text + "\n";
  return text;
}

}  // namespace poolwarden::process
