// What lint needs to know of the machine or container that it runs in.

#pragma once

#include "config/lint_settings.h"

namespace poolwarden::cli {

config::Machine this_machine();

}  // namespace poolwarden::cli
