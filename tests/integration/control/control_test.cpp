// The control socket over a real socket: one request, its answers, and who may give orders.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "control/control_client.h"
#include "control/control_server.h"

namespace poolwarden::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "controlXXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/sub/control.sock";
  }
  ~ControlTest() override {
    if (thread_.joinable()) {
      asio::post(io_, [this] { io_.stop(); });
      thread_.join();
    }
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  Result<void> serve(Handler handler) {
    auto server = ControlServer::open(io_, path_, std::move(handler));
    if (!server) return server.error();
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  std::string directory_;
  std::string path_;
  asio::io_context io_;
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
};

void ignore_line(const json::object&) {}

asio::awaitable<void> done(const json::object&, Conversation& client) {
  co_await client.finish(0, "done");
}

TEST_F(ControlTest, AnswersWithProgressThenAnExitCodeAMessageAndData) {
  ASSERT_TRUE(serve([](const json::object& request, Conversation& client) -> asio::awaitable<void> {
    json::object line;
    line["progress"] = request.at("command");
    co_await client.send(line);
    json::object data;
    data["held_up_by"] = 7;
    co_await client.finish(3, "timed out", data);
  }));
  std::vector<std::string> lines;
  const auto answer = ask(path_, {{"command", "recycle"}}, [&](const json::object& line) {
    lines.emplace_back(line.at("progress").get_string());
  });
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->exit_code, 3);
  EXPECT_EQ(answer->message, "timed out");
  EXPECT_EQ(answer->data.at("held_up_by").as_int64(), 7);
  EXPECT_THAT(lines, testing::ElementsAre("recycle"));
}

TEST_F(ControlTest, ReportsThatNobodyListens) {
  const auto answer = ask(path_, {}, ignore_line);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code.value(), ENOENT);
}

TEST_F(ControlTest, KeepsTheSocketFromOtherUsers) {
  ASSERT_TRUE(serve(done));
  struct stat file {};
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0660u);
}

TEST_F(ControlTest, RefusesASecondSupervisorOnTheSamePath) {
  ASSERT_TRUE(serve(done));
  asio::io_context other;
  const auto second = ControlServer::open(other, path_, done);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr(std::to_string(::getpid())));
  EXPECT_TRUE(ask(path_, {}, ignore_line));
}

TEST_F(ControlTest, WaitsForTheKeeperOfOneThatWasKilledAndThatNobodyHasReaped) {
  ASSERT_TRUE(std::filesystem::create_directories(directory_ + "/sub"));
  const pid_t killed = ::fork();
  if (killed == 0) ::_exit(0);
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(killed), nullptr, WEXITED | WNOWAIT), 0);
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    const int lock = ::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT, 0600);
    ::flock(lock, LOCK_EX);
    ::dprintf(lock, "%d", killed);
    ::usleep(300'000);
    ::_exit(0);
  }
  while (!std::filesystem::exists(path_ + ".lock") ||
         std::filesystem::file_size(path_ + ".lock") == 0)
    ::usleep(1'000);
  EXPECT_TRUE(serve(done));
  for (const pid_t child : {keeper, killed}) ::waitpid(child, nullptr, 0);
}

TEST_F(ControlTest, ReplacesASocketThatItsOwnerLeftBehind) {
  ASSERT_TRUE(std::filesystem::create_directories(directory_ + "/sub"));
  {
    asio::local::stream_protocol::acceptor stale(io_,
                                                 asio::local::stream_protocol::endpoint(path_));
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  ASSERT_TRUE(serve(done));
  EXPECT_TRUE(ask(path_, {}, ignore_line));
}

TEST_F(ControlTest, ToldNonsenseSaysSoAndGoesOn) {
  ASSERT_TRUE(serve(done));
  asio::io_context io;
  asio::local::stream_protocol::socket client(io);
  client.connect(path_);
  asio::write(client, asio::buffer(std::string("{nonsense\n")));
  std::string text;
  boost::system::error_code error;
  asio::read(client, asio::dynamic_buffer(text), error);
  EXPECT_THAT(text, testing::HasSubstr("\"exit\":2"));
  EXPECT_TRUE(ask(path_, {}, ignore_line));
}

TEST_F(ControlTest, WaitsNoLongerThanToldForAllOfTheAnswer) {
  ASSERT_TRUE(serve([this](const json::object&, Conversation& client) -> asio::awaitable<void> {
    json::object progress;
    progress["progress"] = "working";
    asio::steady_timer pause(io_);
    for (int line = 0; line < 400; ++line) {  // each comes soon, the last one does not
      co_await client.send(progress);
      pause.expires_after(std::chrono::milliseconds(10));
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_await client.finish(0, "done");
  }));
  const auto answer = ask(path_, {}, ignore_line, std::chrono::milliseconds(300));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, std::errc::timed_out);
}

TEST_F(ControlTest, SaysThatTooManyAreThere) {
  ASSERT_TRUE(serve(done));
  const auto first = std::make_shared<std::promise<Settled>>();
  asio::post(io_, [&] {
    server_->on_settled([first, told = false](const Settled& settled) mutable {
      if (!std::exchange(told, true)) first->set_value(settled);
    });
  });
  asio::io_context io;
  std::vector<asio::local::stream_protocol::socket> clients;
  for (int i = 0; i < 64; ++i) clients.emplace_back(io).connect(path_);

  const auto answer = ask(path_, {{"command", "status"}}, ignore_line);

  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->exit_code, 1);
  EXPECT_EQ(answer->message, "too many connections (64); end some `--follow` clients");
  EXPECT_EQ(first->get_future().get().exit_code, 1);
}

// Needs root: only root can be somebody else.
TEST_F(ControlTest, HearsNobodyWhoIsNeitherRootNorOwnerNorOfTheGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(serve(done));
  std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr int kNobody = 65534;
    if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
      ::_exit(9);
    const auto answer = ask(path_, {}, ignore_line);
    ::_exit(answer && answer->exit_code == 1 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace poolwarden::control
