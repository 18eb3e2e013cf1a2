#include "integration/gateway/http_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace poolwarden::testing {

int Message::status() const {
  return start_line.size() > 12 ? std::atoi(start_line.c_str() + 9) : 0;
}

std::string Message::operator[](const std::string& field) const {
  const auto at = fields.find(field);
  return at == fields.end() ? "" : at->second;
}

TextSocket::TextSocket(loop::UniqueFd fd) : fd_(std::move(fd)) {
  const timeval limit{60, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

bool TextSocket::send(const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

bool TextSocket::fill() {
  char bytes[65536];
  const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
  if (count <= 0) {
    last_errno_ = count < 0 ? errno : 0;
    return false;
  }
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::string TextSocket::read_line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return "";
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

Message TextSocket::read_message(bool head_only) {
  Message message;
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return message;
  }
  message.head = buffer_.substr(0, end + 4);
  message.start_line = read_line();
  for (std::string line = read_line(); !line.empty(); line = read_line()) {
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    message.fields[name] = value == std::string::npos ? "" : line.substr(value);
  }
  const bool is_request = !message.start_line.starts_with("HTTP/");
  if (head_only || message.status() == 204 || message.status() == 304 ||
      message.status() / 100 == 1) {
    message.complete = true;
  } else if (message.has("transfer-encoding")) {
    read_chunks(message);
  } else if (message.has("content-length")) {
    const auto length = static_cast<std::size_t>(std::stoull(message["content-length"]));
    message.body = read_exactly(length);
    message.complete = message.body.size() == length;
  } else if (is_request) {
    message.complete = true;
  } else {
    message.body = read_to_end();
    message.complete = last_errno_ == 0;
  }
  return message;
}

void TextSocket::read_chunks(Message& message) {
  for (;;) {
    const std::string line = read_line();
    if (line.empty()) return;
    const auto size = static_cast<std::size_t>(std::stoull(line, nullptr, 16));
    const std::string data = read_exactly(size);
    message.body += data;
    if (data.size() != size) return;
    read_line();
    if (size == 0) {
      message.complete = true;
      return;
    }
  }
}

std::string TextSocket::read_exactly(std::size_t count) {
  while (buffer_.size() < count && fill()) continue;
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, bytes.size());
  return bytes;
}

std::string TextSocket::read_to_end() {
  while (fill()) continue;
  return std::exchange(buffer_, "");
}

bool TextSocket::at_end() { return buffer_.empty() && !fill() && last_errno_ != EAGAIN; }

bool TextSocket::was_reset() { return at_end() && last_errno_ == ECONNRESET; }

bool TextSocket::was_closed() { return at_end() && last_errno_ == 0; }

void TextSocket::close_sending() { ::shutdown(fd_.get(), SHUT_WR); }

void TextSocket::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd_.reset();
}

TextSocket connect_tcp(int port) {
  loop::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the gateway");
  }
  return TextSocket(std::move(fd));
}

std::string simple_response(const std::string& body, const std::string& more_fields) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_fields + "\r\n" + body;
}

}  // namespace poolwarden::testing
