// All events, as `poolwarden events --describe` tells them.

#pragma once

#include <string>

namespace poolwarden::pool {

std::string event_catalogue_text();

// The table that docs/events.md ends with: a row for each event, and one for each case in which
// WAS has another number.
std::string event_catalogue_markdown();

}  // namespace poolwarden::pool
