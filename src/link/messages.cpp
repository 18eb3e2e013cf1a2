#include "link/messages.h"

namespace poolwarden::link {

std::string_view name(PoolMode mode) {
  switch (mode) {
    case PoolMode::Open:
      return "open";
    case PoolMode::Restarting:
      return "restarting";
    case PoolMode::Stopped:
      return "stopped";
    case PoolMode::RapidFail:
      return "rapid_fail";
    case PoolMode::StartFailure:
      return "start_failure";
  }
  return "unknown";
}

}  // namespace poolwarden::link
