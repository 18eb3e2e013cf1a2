// Settings -> the YAML text that gives them back: `check --effective`.

#pragma once

#include <string>

#include "config/settings.h"

namespace poolwarden::config {

std::string effective_yaml(const Settings& settings);

}  // namespace poolwarden::config
