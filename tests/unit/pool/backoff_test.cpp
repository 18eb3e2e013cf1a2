// How long a slot waits after its n-th failure in a row.

#include "pool/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace poolwarden::pool {
namespace {

using namespace std::chrono_literals;

TEST(RestartDelay, ReplacesAtOnceAfterAFirstFailure) {
  EXPECT_EQ(restart_delay(0), 0ms);
  EXPECT_EQ(restart_delay(1), 0ms);
}

TEST(RestartDelay, DoublesFromAQuarterOfASecondUpToTenSeconds) {
  const Duration expected[] = {250ms, 500ms, 1s, 2s, 4s, 8s, 10s, 10s};
  for (std::uint32_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(restart_delay(i + 2), expected[i]) << i + 2 << " failures";
}

TEST(RestartDelay, DoesNotOverflow) {
  for (const std::uint32_t failures : {30u, 34u, 66u, 1'000'000u})
    EXPECT_EQ(restart_delay(failures), 10s) << failures;
  EXPECT_EQ(restart_delay(std::numeric_limits<std::uint32_t>::max()), 10s);
}

}  // namespace
}  // namespace poolwarden::pool
