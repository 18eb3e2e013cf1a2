// The admin address: metrics, health, status page, read-only API. It has a thread of its own and
// reads only what is published, so it answers while the supervision thread is busy or hangs.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "admin/sources.h"
#include "base/result.h"

namespace poolwarden::admin {

struct AdminAddress {
  std::string host;  // "127.0.0.1", "::1", "localhost"
  std::uint16_t port = 0;
  std::string unix_path;  // when not empty, instead of host and port
};

inline constexpr std::size_t kMaxConnections = 64;

class AdminServer {
 public:
  // Listens when this returns.
  static Result<std::unique_ptr<AdminServer>> start(const AdminAddress& address,
                                                    AdminSources sources);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The text of /metrics, made on this server's thread; to be awaited from another.
  boost::asio::awaitable<std::string> metrics();

  std::uint16_t port() const;  // the bound one; 0 for a Unix socket

 private:
  class Running;
  explicit AdminServer(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace poolwarden::admin
