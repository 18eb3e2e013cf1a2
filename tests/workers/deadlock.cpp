// deadlock: an HTTP worker of one thread a connection. Two of them that are asked for …/left and
// …/right take the same two locks, each in its own order, and wait for each other for ever. All
// other requests need one of the locks too.

#include <csignal>
#include <cstdio>
#include <latch>
#include <mutex>
#include <string_view>
#include <thread>

#include "listener.h"

namespace {

std::mutex left_lock, right_lock;
std::latch both_hold_one(2);

void take_both(std::mutex& first, std::mutex& second) {
  const std::lock_guard one(first);
  both_hold_one.arrive_and_wait();
  const std::lock_guard other(second);
}

void serve(int client) {
  char request[4096];
  const ssize_t size = ::read(client, request, sizeof request);
  const std::string_view text(request, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string_view path = text.substr(0, text.find(" HTTP/"));
  if (path.ends_with("/left")) take_both(left_lock, right_lock);
  if (path.ends_with("/right")) take_both(right_lock, left_lock);
  const std::lock_guard one(left_lock);
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  if (::write(client, kAnswer.data(), kAnswer.size()) < 0) std::perror("write");
  ::close(client);
}

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = make_listener(16);
  for (;;) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) return 6;
    std::thread(serve, client).detach();
  }
}
