#include "link/scoreboard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <span>
#include <type_traits>
#include <utility>

#include "loop/unique_fd.h"

namespace poolwarden::link {
namespace {

constexpr std::uint64_t kMagic = 0x31'64'72'61'6f'62'77'70;  // "pwboard1", read as little endian
constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK;

// The file is zeroes at first, and zeroes must be a valid board.
static_assert(std::is_standard_layout_v<Scoreboard> && sizeof(Cell) == sizeof(std::uint64_t));
static_assert(offsetof(Scoreboard, magic) == 0 && offsetof(Scoreboard, size) == 8);

void zero(Cell& gauge) { gauge.store(0, std::memory_order_relaxed); }

void reset_pool(PoolRow& row) {
  zero(row.queue_length);
  zero(row.oldest_waiting_since);
  zero(row.in_flight);
  zero(row.tunnels);
}

Result<Scoreboard*> map(int fd, int protection) {
  void* start = ::mmap(nullptr, sizeof(Scoreboard), protection, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return errno_error(errno, "cannot map the scoreboard");
  return static_cast<Scoreboard*>(start);
}

Result<loop::UniqueFd> make_file() {
  loop::UniqueFd fd(::memfd_create("poolwarden-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return errno_error(errno, "cannot create the scoreboard");
  const std::uint64_t head[2] = {kMagic, sizeof(Scoreboard)};
  if (::ftruncate(fd.get(), static_cast<off_t>(sizeof(Scoreboard))) != 0 ||
      ::pwrite(fd.get(), head, sizeof head, 0) != static_cast<ssize_t>(sizeof head)) {
    return errno_error(errno, "cannot size the scoreboard");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals | F_SEAL_SEAL) != 0) {
    return errno_error(errno, "cannot seal the scoreboard");
  }
  return fd;
}

void zero_all(std::span<Cell> cells) {
  for (Cell& cell : cells) zero(cell);
}

template <std::size_t Bounds>
void zero_histogram(Histogram<Bounds>& histogram) {
  zero_all(histogram.buckets);
  zero(histogram.sum_nanoseconds);
}

}  // namespace

void PoolRow::clear_counters() {
  zero_histogram(request_seconds);
  zero_histogram(upstream_seconds);
  zero_histogram(queue_wait_seconds);
  zero_all(responses);
  zero_all(rejected);
  zero_all(failures);
  zero_all(lost);
  for (Cell* counter :
       {&responses_other, &queue_enqueued, &retries, &received_bytes, &sent_bytes}) {
    zero(*counter);
  }
}

void Scoreboard::reset_gauges() {
  for (PoolRow& row : pools) reset_pool(row);
  reset_pool(unrouted);
  for (WorkerRow& row : workers) {
    zero(row.in_flight);
    zero(row.tunnels);
  }
  for (ListenerRow& row : listeners) zero(row.open);
}

Result<ScoreboardMap> ScoreboardMap::create() {
  Result<loop::UniqueFd> fd = make_file();
  if (!fd) return fd.error();
  const Result<Scoreboard*> board = map(fd->get(), PROT_READ);
  if (!board) return board.error();
  return ScoreboardMap(*board, fd->release(), false);
}

Result<ScoreboardMap> ScoreboardMap::open_for_writing(int fd) {
  struct stat file = {};
  if (::fstat(fd, &file) != 0) return errno_error(errno, "cannot open the scoreboard");
  if (file.st_size != static_cast<off_t>(sizeof(Scoreboard))) {
    return failure("cannot open the scoreboard: it has " + std::to_string(file.st_size) +
                   " bytes, not " + std::to_string(sizeof(Scoreboard)));
  }
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return failure("cannot open the scoreboard: its size is not sealed");
  }
  const Result<Scoreboard*> board = map(fd, PROT_READ | PROT_WRITE);
  if (!board) return board.error();
  ScoreboardMap opened(*board, -1, true);
  if ((*board)->magic != kMagic || (*board)->size != sizeof(Scoreboard)) {
    return failure("cannot open the scoreboard: it was made by another version");
  }
  return opened;
}

ScoreboardMap::ScoreboardMap(ScoreboardMap&& other) noexcept
    : board_(std::exchange(other.board_, nullptr)),
      fd_(std::exchange(other.fd_, -1)),
      writable_(other.writable_) {}

ScoreboardMap::~ScoreboardMap() {
  if (board_ != nullptr) ::munmap(board_, sizeof(Scoreboard));
  if (fd_ >= 0) ::close(fd_);
}

Scoreboard& ScoreboardMap::writable() const {
  assert(writable_);
  return *board_;
}

}  // namespace poolwarden::link
