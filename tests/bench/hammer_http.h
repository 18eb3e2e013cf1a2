// As much of HTTP as hammer speaks: connections, and answers with a length.

#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "hammer_options.h"

inline int open_connection(const Options& options) {
  const bool is_unix = !options.unix_path.empty();
  const int socket = ::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int outcome = -1;
  if (is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options.unix_path.c_str(), sizeof address.sun_path - 1);
    outcome = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1)
      fail(options.host + " is not an IPv4 address");
    outcome = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  if (outcome < 0) fail(std::string("cannot connect: ") + std::strerror(errno));
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
  return socket;
}

struct Answer {
  int status = 0;
  bool closes = false;
  std::string_view body;
  std::size_t size = 0;  // of it all; 0: not here as a whole yet
};

inline Answer parse(std::string_view text) {
  Answer answer;
  const std::size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return answer;
  std::string head(text.substr(0, head_end + 2));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::size_t length = 0;
  const std::size_t field = head.find("\r\ncontent-length: ");
  if (field != std::string::npos) length = std::strtoul(head.c_str() + field + 18, nullptr, 10);
  if (text.size() < head_end + 4 + length) return answer;
  answer.status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
  answer.closes = head.find("\r\nconnection: close") != std::string::npos;
  answer.body = text.substr(head_end + 4, length);
  answer.size = head_end + 4 + length;
  return answer;
}
