// serve [STATUS]: listens on descriptor 3 (LISTEN_FDS), $POOLWARDEN_SOCKET or $PORT, and answers
// every connection with STATUS (200 by default); "hang": with nothing, "close": by closing it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

int listen_unix(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) std::exit(4);
  return listener;
}

int listen_tcp(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) std::exit(4);
  return listener;
}

int make_listener() {
  const char* passed_to = std::getenv("LISTEN_PID");
  if (passed_to && std::atoi(passed_to) == ::getpid()) return 3;
  int listener = -1;
  if (const char* port = std::getenv("PORT")) listener = listen_tcp(port);
  if (const char* path = std::getenv("POOLWARDEN_SOCKET")) listener = listen_unix(path);
  if (listener < 0 || ::listen(listener, 16) < 0) std::exit(5);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string status = argc > 1 ? argv[1] : "200";
  const std::string answer = "HTTP/1.1 " + status + " X\r\nContent-Length: 2\r\n\r\nok";
  const int listener = make_listener();
  std::puts("listening");
  std::fflush(stdout);
  for (;;) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) return 6;
    if (status == "hang") continue;
    char request[4096];
    if (::read(client, request, sizeof request) > 0 && status != "close" &&
        ::write(client, answer.data(), answer.size()) < 0)
      std::perror("write");
    ::close(client);
  }
}
