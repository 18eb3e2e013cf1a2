// How large one certificate may get: what it holds came from outside.

#pragma once

#include <cstddef>

#include "diagnosis/certificate.h"

namespace poolwarden::journal {

inline constexpr std::size_t kLongestText = 4096;      // bytes of a sentence, path or line
inline constexpr std::size_t kMostOutput = 64 * 1024;  // bytes; the newest lines are kept
inline constexpr std::size_t kMostThreads = 64;        // and processes left behind, requests cut
inline constexpr std::size_t kMostFrames = 64;         // of a backtrace or a kernel stack

// The certificate with everything beyond that cut off; a text that was cut ends in "(cut)".
diagnosis::Certificate bounded(diagnosis::Certificate certificate);

// What an event has of it, for events are kept longer: all but what it wrote and its other lists.
diagnosis::Certificate without_lists(diagnosis::Certificate certificate);

// How much memory it takes, roughly: bytes.
std::size_t weight(const diagnosis::Certificate& certificate);

}  // namespace poolwarden::journal
