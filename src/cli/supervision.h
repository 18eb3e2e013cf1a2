// The composition root of `run` and `demo`: makes every part, hands each what it needs, runs until
// the supervisor has ended, and takes them down in reverse.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/settings_source.h"

namespace poolwarden::cli {

struct Addresses {
  std::vector<std::string> listeners;  // as bound
  std::string admin;
  std::string control;
};

// `on_begun` is called once, when everything listens. The exit code of `run`: 0 after a graceful
// stop, 1 when it could not begin, 10 when an essential pool ended.
int supervise(SettingsSource source, const std::function<void(const Addresses&)>& on_begun);

}  // namespace poolwarden::cli
