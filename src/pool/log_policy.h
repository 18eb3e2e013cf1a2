// log_level: which recycle events of a pool go into the log, by the table of reasons of ASP.NET's
// process model (research/was.md 6). Whatever is left out is remembered and counted all the same.

#pragma once

#include "pool/event.h"
#include "pool/pool_settings.h"

namespace poolwarden::pool {

// all: every event. errors: of the recycle events only those that nobody planned. none: no recycle
// event at all, and no unexpected end either. Events about anything else are always logged.
bool is_logged(const Event& event, LogLevel level);

}  // namespace poolwarden::pool
