// The journal against real pipes: what is read, what a blocked reader costs, who is told.

#include "journal/journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "fakes/full_certificate.h"
#include "journal/certificate_json.h"
#include "loop/unique_fd.h"

namespace poolwarden::journal {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      out.reset(ends[0]);
      in.reset(ends[1]);
    }
  }
  std::string read_all() {
    in.reset();
    std::string text;
    char piece[65536];
    for (ssize_t n = 0; (n = ::read(out.get(), piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<std::size_t>(n));
    }
    return text;
  }
  loop::UniqueFd out;
  loop::UniqueFd in;
};

pool::Event event(pool::EventKind kind, const std::string& sentence = "happened") {
  return {.kind = kind, .pool = "web", .worker = std::nullopt, .sentence = sentence};
}

OutputLine output_line(const std::string& line) {
  OutputLine output;
  output.pool = "web";
  output.line = line;
  return output;
}

// Certificates are kept elsewhere, within bounds; a thousand events must not keep them all.
TEST(Journal, KeepsOfACertificateWhatAnEventTells) {
  const Pipe pipe;
  Journal journal({.fd = pipe.in.get()});
  const auto whole = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
  pool::Event end = event(pool::EventKind::WorkerExited);
  end.details = pool::ExitDetails{whole, {}, true};
  pool::Event later = event(pool::EventKind::WorkerPostMortem);
  later.details = pool::PostMortemDetails{whole};
  journal.record(end);
  journal.record(later);
  EXPECT_EQ(whole.use_count(), 3) << "those two events";
  const auto kept = journal.recent();
  ASSERT_EQ(kept.size(), 2u);
  const auto told = std::get<pool::ExitDetails>(kept[0].event.details).certificate;
  EXPECT_THAT(told->evidence.output, testing::IsEmpty());
  EXPECT_THAT(told->evidence.threads, testing::IsEmpty());
  EXPECT_EQ(told->evidence.last_output, "");
  EXPECT_EQ(told->number, whole->number);
  boost::json::object before, after;
  add_end(before, *whole);
  add_end(after, *told);
  EXPECT_EQ(before, after) << "all that an event tells";
  EXPECT_THAT(
      std::get<pool::PostMortemDetails>(kept[1].event.details).certificate->evidence.backtrace,
      testing::IsEmpty());
}

TEST(Journal, WritesALineForEachEventOfItsLevel) {
  Pipe pipe;
  {
    Journal journal({.format = Format::Text, .level = pool::Level::Warning, .fd = pipe.in.get()});
    journal.record(event(pool::EventKind::PoolStarting));
    journal.record(event(pool::EventKind::PoolRapidFail));
    journal.log(pool::Level::Info, "unheard");
    journal.log(pool::Level::Error, "heard");
    journal.record_output(output_line("hello"));
    EXPECT_EQ(journal.written(pool::Level::Error), 2U);
  }
  std::istringstream text(pipe.read_all());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre(EndsWith("error pool.rapid_fail pool=web: happened"),
                                 EndsWith("error heard"), HasSubstr("stdout: hello")));
}

TEST(Journal, KeepsAnEventThatLogLevelLeavesOutOfTheLog) {
  Pipe pipe;
  {
    Journal journal({.format = Format::Text, .level = pool::Level::Info, .fd = pipe.in.get()});
    pool::Event quiet = event(pool::EventKind::WorkerRecycling);
    quiet.logged = false;
    journal.record(quiet);
    journal.record(event(pool::EventKind::PoolStarting));
    EXPECT_EQ(journal.recent().size(), 2u);
  }
  const std::string text = pipe.read_all();
  EXPECT_EQ(text.find("worker.recycling"), std::string::npos);
  EXPECT_NE(text.find("pool.starting"), std::string::npos);
}

TEST(Journal, KeepsTheLastEventsInOrder) {
  const loop::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Journal journal({.fd = null.get()});
  for (std::size_t i = 0; i < kEventsKept + 10; ++i) {
    journal.record(event(pool::EventKind::PoolStarting));
  }
  const std::vector<Entry> all = journal.recent();
  ASSERT_EQ(all.size(), kEventsKept);
  EXPECT_EQ(all.front().sequence, 11U);
  EXPECT_EQ(all.back().sequence, kEventsKept + 10);
  EXPECT_EQ(journal.recent(5).front().sequence, kEventsKept + 6);
  EXPECT_EQ(journal.recent(100, kEventsKept + 8).size(), 2U);
  EXPECT_TRUE(journal.recent(100, kEventsKept + 99).empty());
}

TEST(Journal, KeepsABoundedAmountOfOutputOfEachPool) {
  const loop::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Journal journal({.fd = null.get()});
  for (std::size_t i = 0; i < kLinesKept + 5; ++i) {
    journal.record_output(output_line(std::to_string(i)));
  }
  ASSERT_EQ(journal.output("web").size(), kLinesKept);
  EXPECT_EQ(journal.output("web", 1).front().line, std::to_string(kLinesKept + 4));
  for (int i = 0; i < 200; ++i) journal.record_output(output_line(std::string(100000, 'x')));
  EXPECT_LT(journal.output("web").size(), 70U);
  EXPECT_TRUE(journal.output("other").empty());
  journal.forget_output("web");
  EXPECT_TRUE(journal.output("web").empty());
}

TEST(Journal, NeitherRecordingNorEndingWaitsForABlockedReader) {
  Pipe pipe;  // nobody reads
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t dropped = 0;
  {
    Journal journal({.format = Format::Text, .fd = pipe.in.get()});
    for (int i = 0; i < 20000; ++i) {
      journal.record_output(output_line("a line that fills the pipe " + std::to_string(i)));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);  // 200 ms a line would be an hour
    while (journal.dropped() == 0 && std::chrono::steady_clock::now() - begin < 60s) {
      std::this_thread::yield();
    }
    dropped = journal.dropped();
  }
  EXPECT_GT(dropped, 0U);
}

TEST(Journal, LeavesTheSharedDescriptorBlocking) {
  Pipe pipe;
  Journal journal({.fd = pipe.in.get()});
  EXPECT_EQ(::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(Journal, SurvivesAReaderThatHasGone) {
  Pipe pipe;
  pipe.out.reset();
  Journal journal({.fd = pipe.in.get()});
  journal.log(pool::Level::Error, "anybody?");
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (journal.dropped() == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(journal.dropped(), 1U);
}

TEST(Journal, WritesLinesThatAreLongerThanAPipeTakesAtOnce) {
  Pipe pipe;
  const std::string line(15000, 'y');
  {
    Journal journal({.format = Format::Text, .fd = pipe.in.get()});
    journal.record_output(output_line(line));
  }
  EXPECT_THAT(pipe.read_all(), EndsWith(line + "\n"));
}

TEST(Journal, TellsFollowersUntilTheyLeave) {
  const loop::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Journal journal({.fd = null.get()});
  std::vector<std::string> heard;
  Subscription first =
      journal.follow([&](const Entry& entry) { heard.push_back("first " + entry.event.sentence); });
  Subscription second = journal.follow([&](const Entry& entry) {
    heard.push_back("second " + entry.event.sentence);
    second = Subscription();  // leaves from within
  });
  journal.record(event(pool::EventKind::PoolStarting, "one"));
  journal.record(event(pool::EventKind::PoolStarting, "two"));
  first = Subscription();
  journal.record(event(pool::EventKind::PoolStarting, "three"));
  EXPECT_THAT(heard, ElementsAre("first one", "second one", "first two"));
}

TEST(Journal, TellsFollowersOfOutput) {
  const loop::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Journal journal({.fd = null.get()});
  std::vector<std::string> heard;
  const Subscription hears =
      journal.follow_output([&](const OutputLine& output) { heard.push_back(output.line); });
  journal.record_output(output_line("hi"));
  EXPECT_THAT(heard, ElementsAre("hi"));
}

TEST(Journal, MayBeReadWhileItIsWritten) {
  const loop::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Journal journal({.fd = null.get()});
  std::thread reader([&] {
    for (int i = 0; i < 200; ++i) {
      const Subscription passing = journal.follow([](const Entry&) {});
      journal.recent(10);
      journal.output("web", 10);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    journal.record(event(pool::EventKind::PoolStarting));
    journal.record_output(output_line("x"));
  }
  reader.join();
  EXPECT_EQ(journal.recent().size(), kEventsKept);
}

}  // namespace
}  // namespace poolwarden::journal
