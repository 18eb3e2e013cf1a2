// Formats of what a worker is: its command, environment, identity, signals, readiness, CPUs.

#pragma once

#include <map>

#include "config/format.h"
#include "worker/worker_settings.h"

namespace poolwarden::config {

using Command = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

// An argument list, or a text for /bin/sh -c. `may_be_empty`: as "none".
Format<Command> command_line(const std::string& example, bool may_be_empty);
Format<Variables> variables();
Format<unsigned> file_mode_mask();
Format<std::string> capability();
Format<int> catchable_signal();
Format<worker::ReadyWhen> ready_when();
Format<std::string> url_path(const std::string& example);
Format<std::optional<Size>> core_size();
Format<std::string> cpu_list();
// How many CPUs a list names, each counted once; the list is right.
std::uint32_t cpus_of(const std::string& list);

}  // namespace poolwarden::config
