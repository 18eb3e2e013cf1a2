#include "integration/gateway/scripted_worker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace poolwarden::testing {
namespace {

loop::UniqueFd listen_unix(const std::string& path) {
  loop::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 128) != 0) {
    throw std::runtime_error("cannot listen on " + path);
  }
  return fd;
}

loop::UniqueFd listen_tcp(std::uint16_t& port) {
  loop::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(fd.get(), 128) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

std::string fresh_path() {
  static std::atomic<int> count = 0;
  const std::string name = "pw-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  const std::string path = std::filesystem::temp_directory_path() / name;
  ::unlink(path.c_str());
  return path;
}

}  // namespace

ScriptedWorker::ScriptedWorker(Script script, At at) : script_(std::move(script)) {
  if (at == At::Unix) {
    const std::string path = fresh_path();
    listener_ = listen_unix(path);
    endpoint_ = worker::UnixEndpoint{path};
  } else {
    std::uint16_t port = 0;
    listener_ = listen_tcp(port);
    endpoint_ = worker::TcpEndpoint{"127.0.0.1", port};
  }
  accepting_ = std::thread([this] { accept_all(); });
}

ScriptedWorker::~ScriptedWorker() {
  die();
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  if (const auto* local = std::get_if<worker::UnixEndpoint>(&endpoint_)) {
    ::unlink(local->path.c_str());
  }
}

void ScriptedWorker::accept_all() {
  for (;;) {
    loop::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    if (dead_) continue;  // of the backlog, which ends with a process too
    ++connections_;
    std::lock_guard lock(mutex_);
    open_.push_back(fd.get());
    threads_.emplace_back([this, taken = fd.release()] {
      TextSocket socket{loop::UniqueFd(taken)};
      script_(socket);
      std::lock_guard forget(mutex_);
      std::erase(open_, taken);
      socket.close();
    });
  }
}

void ScriptedWorker::die() {
  if (dead_.exchange(true)) return;
  ::shutdown(listener_.get(), SHUT_RDWR);
  std::lock_guard lock(mutex_);
  for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
}

void answer_all(TextSocket& socket) {
  for (;;) {
    const Message request = socket.read_message();
    if (!request.complete) return;
    if (!socket.send(simple_response("did " + request.start_line))) return;
  }
}

}  // namespace poolwarden::testing
