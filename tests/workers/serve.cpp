// serve [STATUS]: listens on descriptor 3 (LISTEN_FDS), $POOLWARDEN_SOCKET or $PORT, and answers
// every connection with STATUS (200 by default); "hang": with nothing, "close": by closing it,
// "ssh": with something that is no HTTP, "half": with the beginning of an answer.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "listener.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string status = argc > 1 ? argv[1] : "200";
  std::string answer = "HTTP/1.1 " + status + " X\r\nContent-Length: 2\r\n\r\nok";
  if (status == "ssh") answer = "SSH-2.0-poolwarden\r\n";
  if (status == "half") answer = "HTTP/1.1 200 OK\r\nContent-";
  const int listener = make_listener(16);
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
