// hammer: a load of HTTP requests that forgives nothing. Each request has an id of its own, GET
// /look?id=N or POST /run; each answer has to be 200 and to name the id. A connection that breaks,
// closes, or answers anything else is told with its time and counted, never covered up by
// connecting again. At the end the ledger (see workers/ledger.cpp) is read: every POST that was
// answered ran exactly once, no POST ran twice, no GET ran. One line of JSON tells the outcome.
//
// While it runs it takes orders, a line each on stdin: see Hammer::run.

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "hammer_http.h"
#include "hammer_options.h"

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t kTroublesTold = 200;

enum class Fate : unsigned char { Unused, Get, Post, PostAnswered };

struct Counts {
  std::uint64_t sent = 0, answered = 0, gets = 0, posts = 0;
  std::uint64_t broken = 0;      // the connection ended before the answer did
  std::uint64_t wrong = 0;       // another status, another body, an answer to nothing
  std::uint64_t closed = 0;      // a good answer that ends the connection
  std::uint64_t unanswered = 0;  // longer than patience
  std::uint64_t connects = 0;
  double slowest = 0;  // seconds

  std::uint64_t troubles() const { return broken + wrong + closed + unanswered; }
};

std::string now_text() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%FT%T", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03ldZ", now.tv_nsec / 1'000'000);
  return text;
}

struct Connection {
  int socket = -1;
  std::string out;
  std::string in;
  bool busy = false;
  bool is_post = false;
  std::uint64_t id = 0;
  Clock::time_point sent{};
};

class Hammer {
 public:
  explicit Hammer(Options options)
      : options_(std::move(options)), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    open_ledger();
    connections_.resize(options_.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) connect(i);
    begun_ = Clock::now();
  }

  // Lines on stdin; what is answered comes on stdout:
  //   post-percent N   from now on; with 0, "ok" comes when no POST is in flight any more
  //   burst N MS       N requests, then a pause of MS, again and again; "burst 0 0": no pauses
  //   count            "count N": so many were answered
  //   finish           no further request
  void run() {
    watch_stdin();
    while (!is_over()) {
      feed();
      epoll_event events[128];
      const int count = ::epoll_wait(poll_, events, 128, 20);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.u64 == kStdin) {
          take_orders();
        } else {
          attend(events[i].data.u64, events[i].events);
        }
      }
      lose_patience();
      if (acknowledge_ && posts_in_flight_ == 0) say_ok();
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - begun_).count();
  }

  // The outcome as one line, and whether nothing was wrong.
  bool conclude() const;

 private:
  static constexpr std::uint64_t kStdin = ~std::uint64_t{0};

  void open_ledger() {
    const int file = ::open(options_.ledger.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (file < 0 || ::fstat(file, &about) < 0) fail("cannot read the ledger " + options_.ledger);
    const auto size = static_cast<std::size_t>(about.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) fail("cannot map the ledger");
    ledger_ = static_cast<const unsigned char*>(mapped);
    fates_.resize(size, Fate::Unused);
    ::close(file);
  }

  void connect(std::size_t index) {
    Connection& connection = connections_[index];
    if (connection.socket >= 0) ::close(connection.socket);
    connection = Connection();
    connection.socket = open_connection(options_);
    ++counts_.connects;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event);
  }

  void watch_stdin() {
    ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kStdin;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);  // fails on a file: no orders then
  }

  void take_orders() {
    char part[4096];
    const ssize_t count = ::read(STDIN_FILENO, part, sizeof part);
    if (count < 0) return;
    if (count == 0) {
      ::epoll_ctl(poll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
      if (options_.requests == 0) finishing_ = true;
      return;
    }
    orders_.append(part, static_cast<std::size_t>(count));
    for (std::size_t end; (end = orders_.find('\n')) != std::string::npos;) {
      obey(orders_.substr(0, end));
      orders_.erase(0, end + 1);
    }
  }

  void obey(const std::string& order) {
    unsigned first = 0, second = 0;
    if (std::sscanf(order.c_str(), "post-percent %u", &first) == 1) {
      options_.post_percent = first;
      acknowledge_ = true;
    } else if (std::sscanf(order.c_str(), "burst %u %u", &first, &second) == 2) {
      burst_ = first;
      burst_left_ = first;
      burst_pause_ = Milliseconds(second);
    } else if (order == "count") {
      std::cout << "count " << counts_.answered << std::endl;
    } else if (order == "finish") {
      finishing_ = true;
    } else {
      fail("cannot make sense of the order " + order);
    }
  }

  void say_ok() {
    acknowledge_ = false;
    std::cout << "ok" << std::endl;
  }

  bool may_ask() {
    if (finishing_ || next_id_ >= fates_.size()) return false;
    if (options_.requests != 0 && counts_.sent >= options_.requests) return false;
    if (burst_ == 0) return true;
    if (burst_left_ > 0) return true;
    if (in_flight_ > 0) return false;  // the pause begins when all is silent
    if (!silent_since_) silent_since_ = Clock::now();
    if (Clock::now() - *silent_since_ < burst_pause_) return false;
    silent_since_.reset();
    burst_left_ = burst_;
    return true;
  }

  bool is_over() {
    const bool all_sent = finishing_ || next_id_ >= fates_.size() ||
                          (options_.requests != 0 && counts_.sent >= options_.requests);
    return all_sent && in_flight_ == 0;
  }

  // Idle connections get a request.
  void feed() {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (connections_[i].busy) continue;
      if (!may_ask()) return;
      ask(i);
    }
  }

  void ask(std::size_t index) {
    Connection& connection = connections_[index];
    const std::uint64_t id = next_id_++;
    connection.busy = true;
    connection.id = id;
    connection.is_post = id * 2654435761u / 65536 % 100 < options_.post_percent;
    connection.sent = Clock::now();
    const std::string number = std::to_string(id);
    if (connection.is_post) {
      // Mostly small; a few are larger than what a socket takes at once.
      const std::size_t padding = id % 1000 == 7 ? 200'000 : id % 1024;
      const std::string body = "id=" + number + " " + std::string(padding, 'x');
      connection.out =
          "POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;
      ++posts_in_flight_;
      ++counts_.posts;
    } else {
      connection.out = "GET /look?id=" + number + " HTTP/1.1\r\nHost: x\r\n\r\n";
      ++counts_.gets;
    }
    fates_[id] = connection.is_post ? Fate::Post : Fate::Get;
    ++counts_.sent;
    ++in_flight_;
    if (burst_ > 0) --burst_left_;
    send_on(index);
  }

  void send_on(std::size_t index) {
    Connection& connection = connections_[index];
    while (!connection.out.empty()) {
      const ssize_t count =
          ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return want_to_write(index, true);
      if (count < 0) return broke(index, std::string("send: ") + std::strerror(errno));
      const bool was_partial = static_cast<std::size_t>(count) < connection.out.size();
      connection.out.erase(0, static_cast<std::size_t>(count));
      if (was_partial) continue;
    }
    want_to_write(index, false);
  }

  void want_to_write(std::size_t index, bool wanted) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | (wanted ? EPOLLOUT : 0u);
    event.data.u64 = index;
    ::epoll_ctl(poll_, EPOLL_CTL_MOD, connections_[index].socket, &event);
  }

  void attend(std::size_t index, std::uint32_t what) {
    Connection& connection = connections_[index];
    if (what & EPOLLOUT) send_on(index);
    if (!(what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
    char part[65536];
    for (;;) {
      const ssize_t count = ::read(connection.socket, part, sizeof part);
      if (count > 0) {
        connection.in.append(part, static_cast<std::size_t>(count));
        continue;
      }
      if (count < 0 && errno == EAGAIN) break;
      take_answer(index);  // what came before the end
      const std::string how = count == 0 ? "closed" : std::strerror(errno);
      return broke(index, how + (connections_[index].busy ? "" : " while idle"));
    }
    take_answer(index);
  }

  void take_answer(std::size_t index) {
    Connection& connection = connections_[index];
    const Answer answer = parse(connection.in);
    if (answer.size == 0) return;
    if (!connection.busy) {
      ++counts_.wrong;
      tell("an answer that nothing was asked for: " + connection.in.substr(0, 200));
      return connect(index);
    }
    const std::string expected =
        (connection.is_post ? "ran " : "looked ") + std::to_string(connection.id) + "\n";
    const bool is_right = answer.status == 200 && answer.body == expected;
    if (is_right) {
      ++counts_.answered;
      if (connection.is_post) fates_[connection.id] = Fate::PostAnswered;
      const double took = std::chrono::duration<double>(Clock::now() - connection.sent).count();
      counts_.slowest = std::max(counts_.slowest, took);
    } else {
      ++counts_.wrong;
      tell(describe(connection) + " was answered " + connection.in.substr(0, 400));
    }
    const bool must_leave = answer.closes || !connection.out.empty();
    if (must_leave && is_right) {
      ++counts_.closed;
      tell("the answer to " + describe(connection) + " closes the connection");
    }
    connection.in.erase(0, answer.size);
    done(connection);
    if (must_leave) connect(index);
  }

  void broke(std::size_t index, const std::string& how) {
    Connection& connection = connections_[index];
    ++counts_.broken;
    tell(describe(connection) + ": connection " + how + ", " +
         std::to_string(connection.in.size()) + " bytes of an answer received, " +
         std::to_string(connection.out.size()) + " bytes of the request not sent");
    if (connection.busy) done(connection);
    connect(index);
  }

  void done(Connection& connection) {
    connection.busy = false;
    --in_flight_;
    if (connection.is_post) --posts_in_flight_;
  }

  void lose_patience() {
    const auto now = Clock::now();
    if (now < next_look_) return;
    next_look_ = now + Milliseconds(100);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = connections_[i];
      if (!connection.busy || now - connection.sent < options_.patience) continue;
      ++counts_.unanswered;
      tell(describe(connection) + " has had no answer for " +
           std::to_string(options_.patience.count()) + " ms");
      done(connection);
      connect(i);
    }
  }

  static std::string describe(const Connection& connection) {
    const auto took = std::chrono::duration<double, std::milli>(Clock::now() - connection.sent);
    return std::string(connection.is_post ? "POST" : "GET") +
           " id=" + std::to_string(connection.id) + " after " + std::to_string(took.count()) +
           " ms";
  }

  void tell(const std::string& trouble) const {
    if (counts_.troubles() <= kTroublesTold)
      std::cerr << "hammer: " << now_text() << " " << trouble << std::endl;
  }

  Options options_;
  int poll_;
  const unsigned char* ledger_ = nullptr;
  std::vector<Fate> fates_;
  std::vector<Connection> connections_;
  std::string orders_;
  Counts counts_;
  std::uint64_t next_id_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t posts_in_flight_ = 0;
  bool finishing_ = false;
  bool acknowledge_ = false;
  unsigned burst_ = 0;
  unsigned burst_left_ = 0;
  Milliseconds burst_pause_{};
  std::optional<Clock::time_point> silent_since_;
  Clock::time_point next_look_{};
  Clock::time_point begun_;
  double seconds_ = 0;
};

bool Hammer::conclude() const {
  std::uint64_t not_run = 0, twice = 0, ran_unanswered = 0, gets_run = 0;
  for (std::size_t id = 0; id < fates_.size(); ++id) {
    const unsigned runs = ledger_[id];
    const bool is_post = fates_[id] == Fate::Post || fates_[id] == Fate::PostAnswered;
    if (fates_[id] == Fate::PostAnswered && runs == 0) ++not_run;
    if (fates_[id] == Fate::Post && runs > 0) ++ran_unanswered;
    if (is_post && runs > 1) ++twice;
    if (!is_post && runs > 0) ++gets_run;
    if (is_post && runs > 1 && twice <= kTroublesTold)
      std::cerr << "hammer: POST id=" << id << " ran " << runs << " times" << std::endl;
  }
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(counts_.answered) / seconds_);
  std::printf(
      "{\"sent\": %ju, \"answered\": %ju, \"gets\": %ju, \"posts\": %ju, \"broken\": %ju, "
      "\"wrong\": %ju, \"closed\": %ju, \"unanswered\": %ju, \"posts_not_run\": %ju, "
      "\"posts_run_twice\": %ju, \"posts_run_unanswered\": %ju, \"gets_run\": %ju, "
      "\"connections\": %zu, \"connects\": %ju, \"seconds\": %.3f, \"per_second\": %ju, "
      "\"slowest_ms\": %.1f}\n",
      counts_.sent, counts_.answered, counts_.gets, counts_.posts, counts_.broken, counts_.wrong,
      counts_.closed, counts_.unanswered, not_run, twice, ran_unanswered, gets_run,
      connections_.size(), counts_.connects, seconds_, rate, counts_.slowest * 1000);
  return counts_.troubles() == 0 && not_run == 0 && twice == 0 && gets_run == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Hammer hammer(read_options(argc, argv));
  hammer.run();
  return hammer.conclude() ? 0 : 1;
}
