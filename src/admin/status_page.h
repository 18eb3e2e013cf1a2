// The status page: one self-contained document that reads /api/v1/status and /api/v1/events.

#pragma once

#include <string_view>

namespace poolwarden::admin {

extern const std::string_view kStatusPage;

}  // namespace poolwarden::admin
