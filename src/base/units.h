// Durations and sizes as people write them: `250ms 5s 3m 29h 1h30m infinite`, `64KiB 512MiB 2GB`,
// `60%`. The one parser for configuration, command line and sample worker: no locale, no float for
// bytes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"

namespace poolwarden {

// nullopt stands for `infinite` and for 0: no limit. Errors say what was expected.
Result<std::optional<Duration>> parse_duration(std::string_view text);

// Always a length of time: `infinite` is an error, 0 is zero.
Result<Duration> parse_finite_duration(std::string_view text);

struct Bytes {
  std::uint64_t count = 0;
  bool operator==(const Bytes&) const = default;
};
struct Percent {
  std::uint32_t count = 0;  // whole percent
  bool operator==(const Percent&) const = default;
};
using Size = std::variant<Bytes, Percent>;

// KiB MiB GiB TiB are powers of 1024, kB KB MB GB TB powers of 1000; a bare number counts bytes.
// nullopt stands for `infinite` and for 0.
Result<std::optional<Size>> parse_size(std::string_view text);

// What `size` means where `available` bytes may be used.
std::uint64_t resolve(const Size& size, std::uint64_t available);

// The shortest text that parse_duration reads back to the same value: "1h30m", "250ms".
std::string format_duration(Duration duration);
std::string format_size(const Size& size);  // the text that parse_size reads back: "512MiB", "60%"
std::string format_bytes(std::uint64_t bytes);  // "512MiB", "1.5GiB": for people

// Rounded for people: "3d 4h", "2m 5s", "850ms".
std::string describe_duration(Duration duration);

// The candidate with the smallest edit distance, if it is near enough to be what was meant.
template <typename Range>
std::optional<std::string> nearest(std::string_view word, const Range& candidates);

std::size_t edit_distance(std::string_view a, std::string_view b);

template <typename Range>
std::optional<std::string> nearest(std::string_view word, const Range& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = word.size() / 2 + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace poolwarden
