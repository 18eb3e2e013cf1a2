// Which requests may be sent again.

#include "dispatch/request_outcome.h"

#include <gtest/gtest.h>

namespace poolwarden::dispatch {
namespace {

constexpr Attempt failed(AttemptEnd end) { return {.end = end}; }

TEST(Replay, SendsAgainWhatCouldNotBeSent) {
  for (const AttemptEnd end : {AttemptEnd::ConnectFailed, AttemptEnd::RefusedAtSend}) {
    for (const Transport transport : {Transport::Unix, Transport::Tcp}) {
      Attempt attempt = failed(end);
      attempt.transport = transport;
      attempt.has_body = true;
      EXPECT_EQ(decide_replay(attempt), Replay::NeverRan);
      attempt.body_kept = false;
      EXPECT_EQ(decide_replay(attempt), Replay::No);
    }
  }
}

TEST(Replay, TakesAResetOfAUnixSocketForProofWhenThereIsNoBody) {
  Attempt attempt = failed(AttemptEnd::ResetBeforeResponse);
  EXPECT_EQ(decide_replay(attempt), Replay::NeverRan);
  attempt.has_body = true;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
  attempt.idempotent = true;
  EXPECT_EQ(decide_replay(attempt), Replay::Idempotent);
  attempt.has_body = false;
  attempt.transport = Transport::Tcp;
  EXPECT_EQ(decide_replay(attempt), Replay::Idempotent);
  attempt.idempotent = false;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
}

TEST(Replay, SendsAgainOnceWhatMayHaveRunIfThatDoesNoHarm) {
  Attempt attempt = failed(AttemptEnd::EofBeforeResponse);
  EXPECT_EQ(decide_replay(attempt), Replay::No);
  attempt.idempotent = true;
  EXPECT_EQ(decide_replay(attempt), Replay::Idempotent);
  attempt.may_have_run = true;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
}

TEST(Replay, DoesNotCountAgainstARequestThatNobodyAcceptedIt) {
  Attempt attempt = failed(AttemptEnd::NeverAccepted);
  attempt.has_body = true;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
  attempt.idempotent = true;
  for (const bool may_have_run : {false, true}) {
    attempt.may_have_run = may_have_run;
    EXPECT_EQ(decide_replay(attempt), Replay::NeverRan);
  }
  attempt.body_kept = false;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
  attempt.body_kept = true;
  attempt.replays = kMostReplays;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
}

TEST(Replay, EndsSomeTime) {
  Attempt attempt = failed(AttemptEnd::RefusedAtSend);
  attempt.replays = kMostReplays - 1;
  EXPECT_EQ(decide_replay(attempt), Replay::NeverRan);
  attempt.replays = kMostReplays;
  EXPECT_EQ(decide_replay(attempt), Replay::No);
  attempt.end = AttemptEnd::ConnectFailed;  // the queue's time-out ends this
  EXPECT_EQ(decide_replay(attempt), Replay::NeverRan);
}

TEST(Replay, NeverFollowsAResponse) {
  for (const AttemptEnd end :
       {AttemptEnd::Answered, AttemptEnd::FailedMidResponse, AttemptEnd::BadResponse,
        AttemptEnd::TimedOut, AttemptEnd::ClientAborted, AttemptEnd::ClientStalled,
        AttemptEnd::BadBody}) {
    Attempt attempt = failed(end);
    attempt.idempotent = true;
    EXPECT_EQ(decide_replay(attempt), Replay::No);
  }
}

TEST(Replay, KnowsIdempotentMethods) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(is_idempotent(method)) << method;
  }
  for (const char* method : {"POST", "PATCH", "CONNECT", "get", "", "PROPFIND"}) {
    EXPECT_FALSE(is_idempotent(method)) << method;
  }
}

}  // namespace
}  // namespace poolwarden::dispatch
