// Reading the configuration again while the supervisor runs: what would change, and changing it.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/load_settings.h"
#include "cli/service_reports.h"
#include "cli/settings_source.h"
#include "cli/telling.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {

struct ReloadAnswer {
  int exit_code = 0;
  std::vector<std::string> findings;  // "poolwarden.yaml:12:5: error: …"
  std::string message;
  config::Comparison comparison;
  std::string refusal;                            // of a plan: why a reload would change nothing
  std::vector<supervisor::PoolOutcome> outcomes;  // of a reload
};

class Reloading {
 public:
  Reloading(SettingsSource source, supervisor::Supervisor& supervisor, Telling& telling,
            ServiceReports& service)
      : source_(std::move(source)), supervisor_(supervisor), telling_(telling), service_(service) {}

  // `file`: absolute; empty for the one that the supervisor was started with.
  ReloadAnswer plan(const std::string& file) const;
  // All or nothing, and told of as an event.
  ReloadAnswer reload(const std::string& file);
  // For SIGHUP: what is wrong with the file goes to the log, for nobody else asked.
  void reload_on_signal();

 private:
  struct Wanted {
    config::Settings settings;
    std::string sha256;
  };
  // Nothing when the file is not right; `answer` says why.
  std::optional<Wanted> read(const std::string& file, ReloadAnswer& answer) const;
  ReloadAnswer try_reload(const std::string& file);

  SettingsSource source_;
  supervisor::Supervisor& supervisor_;
  Telling& telling_;
  ServiceReports& service_;
};

}  // namespace poolwarden::cli
