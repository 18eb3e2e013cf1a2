// HTTP as tests see it: a socket, and messages as text. Blocking, with a limit on every wait.

#pragma once

#include <map>
#include <optional>
#include <string>

#include "loop/unique_fd.h"

namespace poolwarden::testing {

struct Message {
  std::string start_line;
  std::string head;                           // whole, with its empty line
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;                           // without chunks
  bool complete = false;                      // false: the connection ended before

  int status() const;
  bool has(const std::string& field) const { return fields.contains(field); }
  std::string operator[](const std::string& field) const;
};

class TextSocket {
 public:
  explicit TextSocket(loop::UniqueFd fd);

  bool send(const std::string& text);  // false: the other end has closed
  // A whole message, its body framed by Content-Length, chunks, or the end of the connection.
  // `head_only`: a response to HEAD, or one whose body is read by other means.
  Message read_message(bool head_only = false);
  std::string read_exactly(std::size_t count);  // shorter: the connection ended
  std::string read_to_end();
  bool at_end();      // waits for the connection's end: true unless bytes come first
  bool was_reset();   // the same for a reset
  bool was_closed();  // the same for an orderly end
  void close() { fd_.reset(); }
  void close_sending();
  void reset();  // RST for TCP
  int fd() const { return fd_.get(); }

 private:
  bool fill();
  std::string read_line();
  void read_chunks(Message& message);

  loop::UniqueFd fd_;
  std::string buffer_;
  int last_errno_ = 0;
};

TextSocket connect_tcp(int port);
std::string simple_response(const std::string& body, const std::string& more_fields = "");

}  // namespace poolwarden::testing
