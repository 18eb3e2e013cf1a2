#include "doctor/address_checks.h"

#include <unistd.h>

#include "doctor/path_checks.h"
#include "supervisor/listening_sockets.h"

namespace poolwarden::doctor {
namespace {

// Nothing is made: a socket's file would be left behind, or taken from who listens on it.
Check check_unix(const std::string& subject, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  if (path.starts_with('/'))
    if (auto blocked = way_blocked(subject, path)) return *blocked;
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0)
    return ok(subject, "unix:" + path);
  return problem(subject, "no socket can be made in " + folder, describe_permissions(folder),
                 "name a directory that poolwarden may write to");
}

// "cannot listen on …: why; cure".
Check refused(const std::string& subject, const std::string& sentence) {
  const auto at = sentence.find("; ");
  if (at == std::string::npos) return problem(subject, sentence, "", "name another address");
  return problem(subject, sentence.substr(0, at), "", sentence.substr(at + 2));
}

}  // namespace

Check check_address(const std::string& subject, const config::Address& address, bool is_running) {
  if (!address.unix_path.empty()) return check_unix(subject, address.unix_path);
  const auto socket = supervisor::open_listening_socket(address);
  if (socket) return ok(subject, config::describe(address) + " is free");
  if (is_running && socket.error().code == std::errc::address_in_use)
    return ok(subject, config::describe(address) + " is taken, and a supervisor runs here");
  return refused(subject, socket.error().message);
}

}  // namespace poolwarden::doctor
