// What all connections of this worker share. One thread serves them all.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sample/surroundings.h"

namespace poolwarden::sample {

struct SampleState {
  Identity identity;
  std::uint64_t requests = 0;  // answered or being answered
  std::uint64_t count = 0;     // of POST /count
  bool stopping = false;
  bool ignores_term = false;
  bool sick = false;
  std::vector<std::string> leaked;
};

}  // namespace poolwarden::sample
