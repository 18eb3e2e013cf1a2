// ledger: an HTTP worker that can be called to account. POST /run adds 1 to the byte of its id in
// the file that $LEDGER names, which all workers share: a request that was run twice shows as 2.
// It also leaks, hangs, falls ill and answers late on request; see answer().

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "listener.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
  std::string in;
  std::string out;
  Clock::time_point not_before{};  // of the answer in `out`
  bool answering = false;
};

unsigned char* ledger = nullptr;
std::size_t ledger_size = 0;
bool fails_pings = false;
bool stopping = false;

void open_ledger() {
  const char* path = std::getenv("LEDGER");
  if (!path) return;
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  struct stat about {};
  if (file < 0 || ::fstat(file, &about) < 0) std::exit(3);
  ledger_size = static_cast<std::size_t>(about.st_size);
  void* mapped = ::mmap(nullptr, ledger_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) std::exit(3);
  ledger = static_cast<unsigned char*>(mapped);
  ::close(file);
}

void notify(const std::string& text) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ::sendto(socket, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address),
           sizeof address);
  ::close(socket);
}

// A deadlock: the kernel goes on accepting connections, nobody ever answers one.
[[noreturn]] void hang() {
  for (;;) ::pause();
}

// The number behind "id=" or the like; absent: `otherwise`.
std::uint64_t number(std::string_view text, std::string_view name, std::uint64_t otherwise) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return otherwise;
  std::uint64_t value = otherwise;
  std::from_chars(text.data() + at + name.size(), text.data() + text.size(), value);
  return value;
}

void leak(std::uint64_t kibibytes) {
  const std::size_t size = kibibytes << 10;
  void* block = std::malloc(size);
  if (!block) return;
  std::memset(block, 1, size);
  asm volatile("" : : "r"(block) : "memory");
}

std::string run(std::uint64_t id) {
  std::atomic_ref(ledger[id]).fetch_add(1);
  return "ran " + std::to_string(id) + "\n";
}

// Every page of the ledger into this process's memory.
void read_all() {
  volatile unsigned char sink = 0;
  for (std::size_t at = 0; at < ledger_size; at += 4096) sink = ledger[at];
  (void)sink;
}

std::string answer(std::string_view target, std::string_view body, int& status, Client& client) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::uint64_t mebibytes = number(target, "mib=", 0);
  if (path == "/run" || path == "/look") {
    const std::uint64_t id = number(path == "/run" ? body : target, "id=", ledger_size);
    if (id < ledger_size) return path == "/run" ? run(id) : "looked " + std::to_string(id) + "\n";
    status = 400;
    return "there is no such id\n";
  }
  if (path == "/leak") leak((mebibytes << 10) + number(target, "kib=", 0));
  if (path == "/reserve" &&
      ::mmap(nullptr, mebibytes << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) == MAP_FAILED)
    status = 500;
  if (path == "/read-all") read_all();
  if (path == "/unhealthy") notify("X_POOLWARDEN_UNHEALTHY=asked to say so");
  if (path == "/fail-pings") fails_pings = true;
  if (path == "/ping" && fails_pings) status = 500;
  if (path == "/hang") hang();
  if (path == "/slow")
    client.not_before = Clock::now() + std::chrono::milliseconds(number(target, "ms=", 0));
  return std::to_string(::getpid()) + "\n";
}

// Takes one whole request off `in` and puts its answer into `out`.
bool take_request(Client& client) {
  const std::size_t head_end = client.in.find("\r\n\r\n");
  if (client.answering || head_end == std::string::npos) return false;
  const std::string_view head(client.in.data(), head_end + 2);
  const std::size_t length = number(head, "\r\nContent-Length: ", 0);
  if (client.in.size() < head_end + 4 + length) return false;
  const std::size_t space = head.find(' ');
  const std::string_view target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);

  int status = 200;
  const std::string body =
      answer(target, std::string_view(client.in).substr(head_end + 4, length), status, client);
  client.out = "HTTP/1.1 " + std::to_string(status) +
               " X\r\nContent-Length: " + std::to_string(body.size()) +
               (stopping ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
  client.in.erase(0, head_end + 4 + length);
  client.answering = true;
  return true;
}

// False when the connection is to be closed.
bool read_from(int socket, Client& client) {
  char part[65536];
  for (;;) {
    const ssize_t count = ::read(socket, part, sizeof part);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    client.in.append(part, static_cast<std::size_t>(count));
  }
}

bool write_to(int socket, Client& client) {
  while (client.answering && Clock::now() >= client.not_before) {
    const ssize_t count = ::send(socket, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    client.out.erase(0, static_cast<std::size_t>(count));
    if (client.out.empty()) client.answering = false;
    if (stopping && !client.answering) return false;
    if (!client.answering) take_request(client);
  }
  return true;
}

class Server {
 public:
  Server() : poll_(::epoll_create1(EPOLL_CLOEXEC)), listener_(make_listener(1024)) {
    ::fcntl(listener_, F_SETFL, O_NONBLOCK);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    watch(signals_, EPOLLIN);
    watch(listener_, EPOLLIN);
  }

  void serve() {
    while (!stopping || !clients_.empty()) {
      epoll_event events[64];
      const int count = ::epoll_wait(poll_, events, 64, pause());
      for (int i = 0; i < count; ++i) happened(events[i].data.fd);
      for (auto next = clients_.begin(); next != clients_.end();) {  // who was to wait
        const auto now = next++;
        if (now->second.answering) attend(now->first);
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  // Milliseconds until the next answer is due.
  int pause() const {
    int least = -1;
    for (const auto& [socket, client] : clients_) {
      if (!client.answering) continue;
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(client.not_before - Clock::now());
      const int wait = left.count() > 0 ? static_cast<int>(left.count()) : 1;
      least = least < 0 || wait < least ? wait : least;
    }
    return least;
  }

  void happened(int fd) {
    if (fd == listener_) return accept_all();
    if (fd == signals_) return take_signal();
    if (clients_.contains(fd)) attend(fd);
  }

  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      const int on = 1;  // fails for a Unix socket, which does not need it
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      clients_[socket];
      watch(socket, EPOLLIN);
    }
  }

  void attend(int socket) {
    Client& client = clients_[socket];
    bool open = read_from(socket, client);
    take_request(client);
    open = open && write_to(socket, client);
    if (open && !(stopping && client.in.empty() && !client.answering)) return;
    ::close(socket);
    clients_.erase(socket);
  }

  void take_signal() {
    signalfd_siginfo about{};
    if (::read(signals_, &about, sizeof about) != sizeof about) return;
    if (about.ssi_signo == SIGUSR1) hang();
    stopping = true;
    accept_all();
    ::close(listener_);
    for (auto next = clients_.begin(); next != clients_.end();) attend((next++)->first);
  }

  int poll_;
  int listener_;
  int signals_ = -1;
  std::map<int, Client> clients_;
};

}  // namespace

int main() {
  open_ledger();
  Server().serve();
}
