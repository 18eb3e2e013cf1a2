#include "link/fd_packet.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace poolwarden::link {
namespace {

struct alignas(cmsghdr) Control {
  char bytes[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
};

void attach(msghdr& message, Control& control, const std::vector<int>& fds) {
  if (fds.empty()) return;
  const std::size_t length = fds.size() * sizeof(int);
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(length);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(length);
  std::memcpy(CMSG_DATA(header), fds.data(), length);
}

std::vector<loop::UniqueFd> detach(msghdr& message) {
  std::vector<loop::UniqueFd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

bool is_not_now(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Result<bool> send_packet(int socket, std::string_view text, const std::vector<int>& fds) {
  iovec part = {const_cast<char*>(text.data()), text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  attach(message, control, fds);
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return true;
  if (is_not_now(errno)) return false;
  return errno_error(errno, "cannot send on the control link");
}

Result<std::optional<Packet>> receive_packet(int socket, std::vector<char>& room) {
  iovec part = {room.data(), room.size()};
  Control control;
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t received = -1;
  do {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && is_not_now(errno)) return std::optional<Packet>();
  if (received < 0) return errno_error(errno, "cannot receive on the control link");
  Packet packet;
  packet.fds = detach(message);  // first, so that they are closed whatever follows
  if (received == 0) return failure("cannot receive on the control link: the other side ended");
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return failure("cannot receive on the control link: the packet is too large");
  }
  packet.text.assign(room.data(), static_cast<std::size_t>(received));
  return std::optional<Packet>(std::move(packet));
}

}  // namespace poolwarden::link
