// Ids for requests that come without one: 128 random bits in hexadecimal digits.

#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace poolwarden::gateway {

class RequestIds {
 public:
  RequestIds() : random_(seed()) {}

  void write(std::string& out) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out.clear();
    for (int half = 0; half < 2; ++half) {
      std::uint64_t bits = random_();
      for (int digit = 0; digit < 16; ++digit, bits >>= 4) out.push_back(kDigits[bits & 15]);
    }
  }

 private:
  static std::uint64_t seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
  }
  std::mt19937_64 random_;
};

}  // namespace poolwarden::gateway
