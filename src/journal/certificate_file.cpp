#include "journal/certificate_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/units.h"
#include "journal/certificate_json.h"
#include "loop/signals_blocked.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;

constexpr const char* kNewer = "certificates.jsonl";
constexpr const char* kOlder = "certificates.1.jsonl";
constexpr std::string_view kNumber = "{\"number\":";
constexpr auto kTryAgainAfter = 2s;
constexpr auto kLongestEnd = 1s;

// The end of the file, at most `bytes` of it.
Result<std::string> read_end(const std::string& path, std::uint64_t bytes) {
  const loop::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about = {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    return errno_error(errno, "cannot read " + path);
  }
  if (!S_ISREG(about.st_mode)) return failure(path + " is not a file");
  const auto size = static_cast<std::uint64_t>(about.st_size);
  std::string text(static_cast<std::size_t>(std::min(size, bytes)), '\0');
  auto at = static_cast<off_t>(size - text.size());
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t piece = ::pread(file.get(), text.data() + got, text.size() - got, at);
    if (piece < 0 && errno == EINTR) continue;
    if (piece < 0) return errno_error(errno, "cannot read " + path);
    if (piece == 0) break;
    got += static_cast<std::size_t>(piece);
    at += piece;
  }
  text.resize(got);
  return text;
}

void add_lines(std::string_view text, std::vector<std::string>& lines) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!line.empty()) lines.emplace_back(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

std::string_view digits_of(std::string_view line) {
  if (!line.starts_with(kNumber)) return {};
  const std::string_view rest = line.substr(kNumber.size());
  return rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size()));
}

// 0: it has none, or an impossible one.
std::uint64_t number_of(std::string_view line) {
  const std::string_view digits = digits_of(line);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return parsed.ec == std::errc() && number <= kHighestNumber ? number : 0;
}

std::string renumbered(const std::string& line, std::uint64_t number) {
  return std::string(kNumber) + std::to_string(number) +
         line.substr(kNumber.size() + digits_of(line).size());
}

std::uint64_t last_number(const std::vector<std::string>& lines) {
  std::uint64_t last = 0;
  for (const std::string& line : lines) last = std::max(last, number_of(line));
  return last;
}

Result<loop::UniqueFd> open_for_writing(int directory, const std::string& path) {
  loop::UniqueFd file(::openat(
      directory, kNewer, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat about = {};
  if (!file || ::fstat(file.get(), &about) != 0) return errno_error(errno, "cannot open " + path);
  if (!S_ISREG(about.st_mode)) return failure(path + " is not a file");
  return file;
}

Result<CertificateFile::Opened> claim_and_read(const std::string& directory,
                                               const CertificateFileBounds& bounds) {
  auto claimed = CertificateFile::claim(directory);
  if (!claimed) return claimed.error();
  CertificateFile::Opened opened;
  opened.earlier = CertificateFile::read(directory, bounds);
  opened.claim.last_number = last_number(opened.earlier.lines);
  const auto file = open_for_writing(claimed->get(), directory + "/" + kNewer);
  if (!file) opened.claim.trouble = file.error().message;
  opened.claim.directory = std::move(*claimed);
  return opened;
}

// The files as the writing thread has them; opened when they are needed, and again after trouble.
class Files {
 public:
  Files(std::string directory, CertificateFile::Claim claim, const CertificateFileBounds& bounds)
      : directory_(std::move(directory)),
        bounds_(bounds),
        lock_(std::move(claim.directory)),
        last_number_(claim.last_number) {}

  Result<void> append(const std::string& line) {
    auto written = try_append(line);
    if (!written) file_.reset();
    return written;
  }

  void close() {
    file_.reset();
    lock_.reset();
  }

 private:
  std::string path(const char* name) const { return directory_ + "/" + name; }

  Result<void> try_append(const std::string& line) {
    if (auto open = open_directory(); !open) return open;
    const std::uint64_t number = number_of(line);
    const std::string text = (number == 0 ? line : renumbered(line, number + ahead_)) + "\n";
    struct stat about = {};
    const bool is_there =
        file_ && ::fstat(file_.get(), &about) == 0 && about.st_nlink > 0;  // nobody removed it
    if (!is_there) {
      if (auto open = open_file(); !open) return open;
    }
    if (size_ > 0 && size_ + text.size() > bounds_.file_bytes) {
      if (auto turned = turn_over(); !turned) return turned;
    }
    auto written = write(text);
    if (written && number != 0) last_number_ = std::max(last_number_, number + ahead_);
    return written;
  }

  // Somebody may have removed the directory, moved it away, or mounted something over it.
  bool has_directory() const {
    struct stat held = {};
    struct stat named = {};
    return lock_ && ::fstat(lock_.get(), &held) == 0 && ::stat(directory_.c_str(), &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  }

  Result<void> open_directory() {
    if (has_directory()) return {};
    file_.reset();
    lock_.reset();
    auto claimed = CertificateFile::claim(directory_);
    if (!claimed) return claimed.error();
    lock_ = std::move(*claimed);
    const std::uint64_t found = last_number(CertificateFile::read(directory_, bounds_).lines);
    if (found > last_number_) {
      ahead_ += found - last_number_;
      last_number_ = found;
    }
    return {};
  }

  Result<void> open_file() {
    file_.reset();
    auto opened = open_for_writing(lock_.get(), path(kNewer));
    if (!opened) return opened.error();
    file_ = std::move(*opened);
    struct stat about = {};
    if (::fstat(file_.get(), &about) != 0)
      return errno_error(errno, "cannot look at " + path(kNewer));
    size_ = static_cast<std::uint64_t>(about.st_size);
    char last = '\n';
    if (size_ > 0) (void)::pread(file_.get(), &last, 1, static_cast<off_t>(size_ - 1));
    if (last != '\n') return write("\n");  // a machine that lost power left half a line
    return {};
  }

  Result<void> turn_over() {
    if (::renameat(lock_.get(), kNewer, lock_.get(), kOlder) != 0)
      return errno_error(errno, "cannot rename " + path(kNewer));
    return open_file();
  }

  // All of it or nothing.
  Result<void> write(std::string_view text) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        const int error = written < 0 ? errno : EIO;
        (void)::ftruncate(file_.get(), static_cast<off_t>(size_));
        return errno_error(error, "cannot write to " + path(kNewer));
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    size_ += text.size();
    return {};
  }

  std::string directory_;
  CertificateFileBounds bounds_;
  loop::UniqueFd lock_;  // the directory, claimed
  loop::UniqueFd file_;
  std::uint64_t size_ = 0;
  std::uint64_t last_number_;  // that is on the disk
  std::uint64_t ahead_ = 0;    // so far the numbers on the disk are ahead of those of this process
};

}  // namespace

// What both threads have; the writing one may outlive the object, when a disk hangs.
struct CertificateFile::Shared {
  explicit Shared(const CertificateFileBounds& wanted) : bounds(wanted) {}

  void run(Files files);
  void write_lines(Files& files);
  void tell(const std::string& why);
  void make_room();

  const CertificateFileBounds bounds;
  std::mutex mutex;  // what follows
  std::condition_variable changed;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  std::uint64_t lost = 0;
  std::string trouble;
  OnTrouble on_trouble;
  bool is_ending = false;
  bool has_ended = false;
};

void CertificateFile::Shared::make_room() {
  while (waiting.size() > bounds.waiting_lines ||
         (waiting_bytes > bounds.waiting_bytes && waiting.size() > 1)) {
    waiting_bytes -= waiting.front().size();
    waiting.pop_front();
    ++lost;
  }
}

// With the lock held, so that nobody is told after the end.
void CertificateFile::Shared::tell(const std::string& why) {
  const bool is_new = why.empty() != trouble.empty();
  trouble = why;
  if (is_new && on_trouble) on_trouble(why);
}

void CertificateFile::Shared::run(Files files) {
  write_lines(files);
  files.close();
  std::lock_guard lock(mutex);
  has_ended = true;
  changed.notify_all();
}

void CertificateFile::Shared::write_lines(Files& files) {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return is_ending || !waiting.empty(); });
    if (waiting.empty()) return;
    std::string line = std::move(waiting.front());
    waiting.pop_front();
    waiting_bytes -= line.size();
    lock.unlock();
    const Result<void> written = files.append(line);
    lock.lock();
    tell(written ? std::string() : written.error().message);
    if (written) continue;
    waiting_bytes += line.size();
    waiting.push_front(std::move(line));
    make_room();
    if (is_ending) return;
    changed.wait_for(lock, kTryAgainAfter, [&] { return is_ending; });
  }
}

CertificateFile::Earlier CertificateFile::read(const std::string& directory,
                                               const CertificateFileBounds& bounds) {
  Earlier earlier;
  for (const char* name : {kOlder, kNewer}) {
    const auto text = read_end(directory + "/" + name, 2 * bounds.file_bytes);
    if (text) {
      add_lines(*text, earlier.lines);
    } else {
      earlier.trouble = text.error().message;
    }
  }
  return earlier;
}

Result<loop::UniqueFd> CertificateFile::claim(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, "cannot make " + directory);
  loop::UniqueFd claimed(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!claimed) return errno_error(errno, "cannot open " + directory);
  if (::flock(claimed.get(), LOCK_EX | LOCK_NB) != 0)
    return errno_error(errno, "cannot have " + directory + " for itself");
  return claimed;
}

Result<CertificateFile::Opened> CertificateFile::open(const std::string& directory, Duration within,
                                                      const CertificateFileBounds& bounds) {
  struct Outcome {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<Result<Opened>> opened;
  };
  const auto outcome = std::make_shared<Outcome>();  // the thread may outlast this call
  {
    const loop::SignalsBlocked blocked;
    std::thread([outcome, directory, bounds] {
      auto opened = claim_and_read(directory, bounds);
      std::lock_guard lock(outcome->mutex);
      outcome->opened.emplace(std::move(opened));
      outcome->arrived.notify_all();
    }).detach();
  }
  std::unique_lock lock(outcome->mutex);
  if (!outcome->arrived.wait_for(lock, within, [&] { return outcome->opened.has_value(); }))
    return errno_error(ETIMEDOUT,
                       "no answer from " + directory + " for " + format_duration(within));
  return std::move(*outcome->opened);
}

CertificateFile::CertificateFile(std::string directory, Claim claim, OnTrouble on_trouble,
                                 const CertificateFileBounds& bounds)
    : shared_(std::make_shared<Shared>(bounds)) {
  shared_->on_trouble = std::move(on_trouble);
  shared_->trouble = claim.trouble;
  const loop::SignalsBlocked blocked;
  Files files(std::move(directory), std::move(claim), bounds);
  std::thread([shared = shared_, theirs = std::move(files)]() mutable {
    shared->run(std::move(theirs));
  }).detach();
}

CertificateFile::~CertificateFile() {
  std::unique_lock lock(shared_->mutex);
  shared_->is_ending = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, kLongestEnd, [&] { return shared_->has_ended; });
  shared_->on_trouble = nullptr;
}

void CertificateFile::append(std::string line) {
  std::lock_guard lock(shared_->mutex);
  shared_->waiting_bytes += line.size();
  shared_->waiting.push_back(std::move(line));
  shared_->make_room();
  shared_->changed.notify_all();
}

std::uint64_t CertificateFile::lost() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

}  // namespace poolwarden::journal
