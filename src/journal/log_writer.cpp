#include "journal/log_writer.h"

#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>

#include "journal/patient_fd.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kQueue = 8192;
constexpr auto kLastWords = 1s;

class PatientSink : public spdlog::sinks::sink {
 public:
  explicit PatientSink(int fd) : fd_(fd) {}

  void log(const spdlog::details::log_msg& message) override {
    fd_.write_line({message.payload.data(), message.payload.size()});
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  PatientFd& fd() { return fd_; }

 private:
  PatientFd fd_;
};

// Signals are the main thread's; a reader that has gone must not end the program by SIGPIPE.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct LogWriter::Parts {
  std::shared_ptr<PatientSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> thread;
  std::shared_ptr<spdlog::async_logger> logger;
};

LogWriter::LogWriter(int fd) : parts_(std::make_unique<Parts>()) {
  parts_->sink = std::make_shared<PatientSink>(fd);
  parts_->thread = std::make_shared<spdlog::details::thread_pool>(kQueue, 1, block_signals);
  parts_->logger = std::make_shared<spdlog::async_logger>(
      "journal", parts_->sink, parts_->thread, spdlog::async_overflow_policy::overrun_oldest);
}

LogWriter::~LogWriter() {
  parts_->sink->fd().hurry(Clock::now() + kLastWords);
  parts_->logger.reset();
  parts_->thread.reset();  // joins; after the deadline nothing waits for the reader any more
}

void LogWriter::write(std::string_view line) {
  parts_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t LogWriter::dropped() const {
  return parts_->sink->fd().dropped() + parts_->thread->overrun_counter();
}

}  // namespace poolwarden::journal
