// What all workers of a host have in common, and where what they write goes.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace poolwarden::process {

struct OutputLine {
  std::string pool;
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
  pid_t pid = 0;
  bool is_stderr = false;
  std::string text;
};

struct HostSettings {
  std::string runtime_directory;       // short: socket paths have 107 bytes
  std::optional<gid_t> gateway_group;  // who may reach the workers' sockets
  std::function<void(const OutputLine&)> on_output = {};
  // Limits that a worker of the pool runs without, under containment: best_effort.
  std::function<void(const std::string& pool, const std::vector<std::string>& sentences)>
      on_unenforced = {};
  std::uint64_t available_memory = 0;  // bytes; what percentages are of
  // What looks into the files of workers that have ended: a program and its first arguments, see
  // cli/post_mortem_hand.cpp. Empty: nobody does.
  std::vector<std::string> post_mortem_hand = {};
};

}  // namespace poolwarden::process
