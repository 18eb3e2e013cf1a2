// What hammer is told on its command line.

#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

struct Options {
  std::string unix_path;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string ledger;
  std::size_t connections = 64;
  std::uint64_t requests = 0;  // 0: until told to finish
  unsigned post_percent = 30;
  std::chrono::milliseconds patience{60'000};  // for an answer
};

[[noreturn]] inline void fail(const std::string& text) {
  std::cerr << "hammer: " << text << std::endl;
  std::exit(2);
}

inline void take_url(const std::string& url, Options& options) {
  std::string rest = url.rfind("http://", 0) == 0 ? url.substr(7) : url;
  rest = rest.substr(0, rest.find('/'));
  const std::size_t colon = rest.find(':');
  if (colon == std::string::npos) fail("the URL needs a port: http://127.0.0.1:8080");
  options.host = rest.substr(0, colon);
  options.port = static_cast<std::uint16_t>(std::stoul(rest.substr(colon + 1)));
}

inline Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--url") {
      take_url(value, options);
    } else if (name == "--unix") {
      options.unix_path = value;
    } else if (name == "--ledger") {
      options.ledger = value;
    } else if (name == "--connections") {
      options.connections = std::stoul(value);
    } else if (name == "--requests") {
      options.requests = std::stoull(value);
    } else if (name == "--post-percent") {
      options.post_percent = static_cast<unsigned>(std::stoul(value));
    } else if (name == "--patience") {
      options.patience = std::chrono::milliseconds(std::stoul(value));
    } else {
      fail("there is no option " + name);
    }
  }
  if (options.ledger.empty())
    fail(
        "usage: hammer --ledger FILE [--url http://HOST:PORT | --unix PATH] [--connections N] "
        "[--requests N] [--post-percent N] [--patience MS]");
  return options;
}
