#include "cli/service_reports.h"

#include "base/clean_text.h"
#include "pool/overview.h"

namespace poolwarden::cli {
namespace {

// For what is not waited for by pools: the gateway's end, a slow machine.
constexpr std::chrono::seconds kMargin{10};

std::string microseconds(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

// Without it systemd gives up after the TimeoutStartSec= or TimeoutStopSec= of the unit; a time
// that ends before that shortens nothing.
std::string extend_timeout(Duration duration) {
  return "EXTEND_TIMEOUT_USEC=" + microseconds(duration + kMargin);
}

}  // namespace

ServiceReports::ServiceReports(boost::asio::io_context& io, process::ServiceManager manager)
    : manager_(std::move(manager)), watchdog_(io) {}

void ServiceReports::begin(const pool::Snapshot& snapshot) {
  begun_ = Clock::now();
  manager_.tell(extend_timeout(pool::longest_start(snapshot)));
  feed_watchdog();
  look(snapshot);
}

void ServiceReports::look(const pool::Snapshot& snapshot) {
  (void)manager_.send_unsent();
  if (begun_ == TimePoint::max() || stopping_) return;
  summary_ = pool::summary(snapshot);
  if (snapshot.stopping) return tell_stopping(snapshot);
  if (!started_) look_whether_started(snapshot);
  const std::string status = status_line();
  if (status != told_ && manager_.tell_now_or_never(status)) told_ = status;
}

void ServiceReports::look_whether_started(const pool::Snapshot& snapshot) {
  if (!pool::is_started(snapshot, Clock::now() - begun_)) return;
  started_ = true;
  told_ = status_line();
  manager_.tell("READY=1\n" + told_);
}

void ServiceReports::tell_stopping(const pool::Snapshot& snapshot) {
  stopping_ = true;
  std::string message = "STOPPING=1\nSTATUS=" + summary_;
  if (const auto longest = pool::longest_stop(snapshot)) message += "\n" + extend_timeout(*longest);
  manager_.tell(std::move(message));
}

// Before the start is over READY=1 would end it.
void ServiceReports::reload_begins() {
  if (!started_ || stopping_) return;
  manager_.tell("RELOADING=1\nMONOTONIC_USEC=" + microseconds(Clock::now().time_since_epoch()));
}

void ServiceReports::reload_ends(const std::string& failure) {
  reload_failure_ = failure;
  if (!started_ || stopping_) return;
  told_ = status_line();
  manager_.tell("READY=1\n" + told_);
}

std::string ServiceReports::status_line() const {
  const std::string reload =
      reload_failure_.empty() ? "" : "the last reload failed: " + escaped(reload_failure_) + "; ";
  return "STATUS=" + reload + escaped(summary_);
}

// Twice as often as is wanted, as sd_watchdog_enabled(3) advises. From the supervision thread: one
// that stands still is not to look alive.
void ServiceReports::feed_watchdog() {
  const auto wanted = manager_.watchdog();
  if (!wanted) return;
  (void)manager_.tell_now_or_never("WATCHDOG=1");
  watchdog_.expires_after(*wanted / 2);
  watchdog_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed_watchdog();
  });
}

}  // namespace poolwarden::cli
