// What a service manager (systemd, or podman with --sdnotify=container) is told of the supervisor,
// and when. See docs/running.md.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "pool/snapshot.h"
#include "process/service_manager.h"

namespace poolwarden::cli {

class ServiceReports {
 public:
  ServiceReports(boost::asio::io_context& io, process::ServiceManager manager);

  // The pools have begun to start; the watchdog hears of us from now on.
  void begin(const pool::Snapshot& snapshot);
  // Called at every change, and from time to time.
  void look(const pool::Snapshot& snapshot);

  void reload_begins();
  // `failure`: why nothing was changed; empty when the new configuration is in effect.
  void reload_ends(const std::string& failure);

 private:
  void look_whether_started(const pool::Snapshot& snapshot);
  void tell_stopping(const pool::Snapshot& snapshot);
  void feed_watchdog();
  std::string status_line() const;

  process::ServiceManager manager_;
  boost::asio::steady_timer watchdog_;
  TimePoint begun_ = TimePoint::max();
  bool started_ = false;
  bool stopping_ = false;
  std::string reload_failure_;
  std::string summary_;
  std::string told_;  // the last STATUS=
};

}  // namespace poolwarden::cli
