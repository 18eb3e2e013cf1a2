// Random inputs that can be had again: as many seeds as a property test asks for, the same ones
// each time. A failure names its seed; $TEST_SEED runs that one alone, $TEST_SEEDS that many.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <random>
#include <string>

namespace poolwarden {

// Its sequence is the same everywhere, unlike that of the standard's distributions.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }
  std::uint32_t below(std::uint32_t limit) { return (*this)() % limit; }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <typename Value>
  Value one_of(std::initializer_list<Value> values) {
    return *(values.begin() + below(static_cast<std::uint32_t>(values.size())));
  }

 private:
  std::mt19937 engine_;
};

// Whether all seeds were run: else what they have in common was not to be seen.
template <typename Run>
bool for_seeds(std::uint32_t count, const Run& run) {
  const auto number = [](const char* name, std::uint32_t otherwise) {
    const char* text = std::getenv(name);
    return text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : otherwise;
  };
  const std::uint32_t only = number("TEST_SEED", 0);
  const std::uint32_t last = only != 0 ? only : number("TEST_SEEDS", count);
  for (std::uint32_t seed = only != 0 ? only : 1; seed <= last; ++seed) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed) + " runs this one alone");
    run(seed);
    if (testing::Test::HasFailure()) return false;
  }
  return only == 0 && last >= count;
}

}  // namespace poolwarden
