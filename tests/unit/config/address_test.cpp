// Addresses as they are written in the file.

#include <gtest/gtest.h>

#include "config/settings.h"

namespace poolwarden::config {
namespace {

TEST(Address, IsReadAndWritten) {
  for (const char* text : {"0.0.0.0:8080", "127.0.0.1:0", "[::]:8080", "[::1]:65535",
                           "unix:/run/poolwarden/web.sock"}) {
    const Result<Address> address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(describe(*address), text);
  }
  EXPECT_EQ(parse_address("[::1]:80").value(), (Address{"::1", 80, ""}));
}

TEST(Address, IsRefusedWithACure) {
  for (const char* text : {"", ":", ":80", "80", "0.0.0.0", "0.0.0.0:", "0.0.0.0:x", "0.0.0.0:-1",
                           "0.0.0.0:65536", "256.0.0.1:80", "::1:80", "[]:80", "[1.2.3.4]:80",
                           "unix:", "unix:x", "example.org:80", "0.0.0.0:80 "}) {
    const Result<Address> address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().message.find("; "), std::string::npos) << address.error().message;
  }
  EXPECT_FALSE(parse_address("unix:/" + std::string(107, 'x')));
  EXPECT_TRUE(parse_address("unix:/" + std::string(106, 'x')));
}

}  // namespace
}  // namespace poolwarden::config
