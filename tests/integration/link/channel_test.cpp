// The control link over a real socket pair: order, descriptors, slow and dead peers.

#include "link/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "loop/rethrow.h"

namespace poolwarden::link {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() : pair_(make_channel_pair().value()), there_(std::move(pair_.gateway)) {
    here_.emplace(io_, std::move(pair_.supervisor));
  }

  asio::awaitable<void> receive_one() { received_.push_back(co_await here_->receive()); }

  // Runs until `count` more packets or errors have come.
  void receive(std::size_t count) {
    const std::size_t wanted = received_.size() + count;
    while (received_.size() < wanted) {
      const std::size_t before = received_.size();
      asio::co_spawn(io_, receive_one(), loop::rethrow);
      io_.restart();
      const auto deadline = std::chrono::steady_clock::now() + 60s;
      while (received_.size() == before && io_.run_one_until(deadline) > 0) {
      }
      ASSERT_GT(received_.size(), before) << "nothing came";
    }
  }

  std::string say(std::string_view text) {
    return ::send(there_.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0 ? strerror(errno) : "";
  }

  // Reads what the channel sent, letting it go on sending.
  std::optional<std::string> hear() {
    std::string text(kMaxPacket, '\0');
    for (const auto deadline = std::chrono::steady_clock::now() + 60s;
         std::chrono::steady_clock::now() < deadline;) {
      const ssize_t length = ::recv(there_.get(), text.data(), text.size(), MSG_DONTWAIT);
      if (length >= 0) return text.substr(0, static_cast<std::size_t>(length));
      io_.restart();
      io_.run_one_for(10ms);
    }
    return std::nullopt;
  }

  asio::io_context io_;
  ChannelPair pair_;
  loop::UniqueFd there_;
  std::optional<Channel> here_;
  std::vector<Result<Packet>> received_;
};

TEST_F(ChannelTest, GivesPacketsInOrder) {
  say("one");
  say("two");
  receive(2);
  EXPECT_EQ(received_[0]->text, "one");
  EXPECT_EQ(received_[1]->text, "two");
}

TEST_F(ChannelTest, PassesDescriptorsCloseOnExec) {
  Channel other(io_, std::move(there_));
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  loop::UniqueFd out(pipe_ends[0]);
  loop::UniqueFd in(pipe_ends[1]);

  other.send("take this", {in.get(), out.get()});
  receive(1);

  ASSERT_TRUE(received_[0]);
  ASSERT_EQ(received_[0]->fds.size(), 2U);
  EXPECT_EQ(::fcntl(received_[0]->fds[0].get(), F_GETFD), FD_CLOEXEC);
  in.reset();
  ASSERT_EQ(::write(received_[0]->fds[0].get(), "x", 1), 1);
  char byte = 0;
  ASSERT_EQ(::read(out.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
}

TEST_F(ChannelTest, KeepsWhatASlowReaderDoesNotTakeAndSendsItLater) {
  constexpr int kPackets = 40;
  const std::string filler(60000, '.');
  loop::UniqueFd passed(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (int i = 0; i < kPackets; ++i) here_->send(std::to_string(i) + filler, {passed.get()});
  passed.reset();
  for (int i = 0; i < kPackets; ++i) {
    const auto text = hear();
    ASSERT_TRUE(text.has_value()) << i;
    EXPECT_EQ(*text, std::to_string(i) + filler);
  }
}

TEST_F(ChannelTest, ClosesWhenThePeerReadsNothingAnyMore) {
  const std::string large(kMaxPacket, '.');
  for (std::size_t i = 0; i < 4 + kMaxUnsent / kMaxPacket; ++i) here_->send(large);
  receive(1);
  EXPECT_THAT(received_[0].error().message, HasSubstr("stopped reading"));
}

TEST_F(ChannelTest, TellsThatThePeerIsGoneAfterItsLastWords) {
  say("last words");
  there_.reset();
  receive(2);
  EXPECT_EQ(received_[0]->text, "last words");
  EXPECT_THAT(received_[1].error().message, HasSubstr("the other side ended"));
}

TEST_F(ChannelTest, SendingToADeadPeerDoesNoHarm) {
  there_.reset();
  here_->send("anybody?");
  here_->send("hello?");
  receive(1);
  EXPECT_FALSE(received_[0]);
}

TEST_F(ChannelTest, RefusesAPacketThatIsTooLarge) {
  ASSERT_EQ(say(std::string(kMaxPacket + 1, '.')), "");
  receive(1);
  EXPECT_THAT(received_[0].error().message, HasSubstr("too large"));
}

TEST_F(ChannelTest, RefusesToSendAPacketThatIsTooLarge) {
  here_->send(std::string(kMaxPacket + 1, '.'));
  receive(1);
  EXPECT_THAT(received_[0].error().message, HasSubstr("cannot send a packet of 131073 bytes"));
}

TEST_F(ChannelTest, RefusesMoreDescriptorsThanThereIsRoomFor) {
  std::vector<int> fds(kMaxFds + 1, there_.get());
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  iovec part = {const_cast<char*>("x"), 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  ASSERT_EQ(::sendmsg(there_.get(), &message, 0), 1);
  receive(1);
  EXPECT_THAT(received_[0].error().message, HasSubstr("too large"));
}

TEST_F(ChannelTest, WakesWhoWaitsWhenItIsClosed) {
  asio::co_spawn(io_, receive_one(), loop::rethrow);
  io_.poll();
  here_->close();
  io_.restart();
  io_.run_for(60s);
  ASSERT_EQ(received_.size(), 1U);
  EXPECT_THAT(received_[0].error().message, HasSubstr("it is closed"));
}

TEST_F(ChannelTest, MayEndWhileSomebodyWaits) {
  Channel other(io_, std::move(there_));
  std::optional<Result<Packet>> last;
  asio::co_spawn(
      io_, [&]() -> asio::awaitable<void> { last = co_await here_->receive(); }, loop::rethrow);
  for (int i = 0; i < 20; ++i) here_->send(std::string(60000, '.'));
  io_.poll();
  here_.reset();
  io_.restart();
  io_.run_for(60s);
  ASSERT_TRUE(last.has_value());
  EXPECT_FALSE(*last);
}

}  // namespace
}  // namespace poolwarden::link
