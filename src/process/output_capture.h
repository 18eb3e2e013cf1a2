// What a worker writes to stdout and stderr: read as it comes, told line by line, the end of it
// kept. Whatever the worker does, reading is bounded, and never stops: a full pipe would block it.

#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "diagnosis/evidence.h"
#include "loop/unique_fd.h"
#include "process/line_splitter.h"

namespace poolwarden::process {

class OutputCapture : public std::enable_shared_from_this<OutputCapture> {
 public:
  using OnLine = std::function<void(bool is_stderr, std::string line)>;

  static constexpr int kLinesPerSecond = 2000;  // more are counted, and not told
  static constexpr std::size_t kKeptLines = 64;
  static constexpr std::size_t kKeptBytes = 64 * 1024;

  static Result<std::shared_ptr<OutputCapture>> make(boost::asio::io_context& io, OnLine on_line);

  // The ends for the child, to be closed as soon as it has them.
  int child_stdout() const { return child_ends_[0].get(); }
  int child_stderr() const { return child_ends_[1].get(); }
  void close_child_ends();

  void start();

  // Reads what is in the pipes and closes them, without waiting for their end: a process that
  // outlived the worker may hold them open.
  void drain();

  // As it came, both streams together.
  std::string last_output() const;
  std::vector<diagnosis::WrittenLine> last_lines() const { return {kept_.begin(), kept_.end()}; }

 private:
  struct Stream {
    explicit Stream(boost::asio::io_context& io) : pipe(io) {}
    boost::asio::posix::stream_descriptor pipe;
    LineSplitter lines;
  };
  enum class Progress { Waiting, More, Ended };

  OutputCapture(boost::asio::io_context& io, OnLine on_line);
  Result<void> open(int number);
  boost::asio::awaitable<void> follow(int number);
  Progress read_some(int number);
  void take(int number, std::string line);
  void keep(diagnosis::WrittenLine line);
  bool has_room(TimePoint now);
  boost::asio::awaitable<void> tell_dropped_at(TimePoint end);
  void tell_dropped();

  boost::asio::io_context& io_;
  OnLine on_line_;
  std::array<loop::UniqueFd, 2> child_ends_;
  std::array<Stream, 2> streams_;
  boost::asio::steady_timer window_timer_;
  TimePoint window_end_{};
  int lines_in_window_ = 0;
  std::uint64_t dropped_ = 0;
  std::deque<diagnosis::WrittenLine> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace poolwarden::process
