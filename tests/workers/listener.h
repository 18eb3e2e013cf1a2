// The socket that a worker of the tests listens on: descriptor 3 (LISTEN_FDS), $POOLWARDEN_SOCKET
// or $PORT, whatever way of `connect` its pool uses. Ends the program when it cannot be had.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

inline int listen_unix(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) std::exit(4);
  return listener;
}

inline int listen_tcp(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) std::exit(4);
  return listener;
}

inline int make_listener(int backlog) {
  const char* passed_to = std::getenv("LISTEN_PID");
  if (passed_to && std::atoi(passed_to) == ::getpid()) return 3;
  int listener = -1;
  if (const char* port = std::getenv("PORT")) listener = listen_tcp(port);
  if (const char* path = std::getenv("POOLWARDEN_SOCKET")) listener = listen_unix(path);
  if (listener < 0 || ::listen(listener, backlog) < 0) std::exit(5);
  return listener;
}
