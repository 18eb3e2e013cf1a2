// What orders to debug were given to write to: who still writes there, and what may go.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "worker/worker_settings.h"

namespace poolwarden::cli {

struct DebugLoan {
  std::uint64_t number = 0;
  std::string folder;  // the worker's user may write there
  std::string script;  // where what the tool is told may be written; he may read it
};

class DebugLoans {
 public:
  // As clear_debug_folders(), without waiting for it.
  using Clear =
      std::function<void(const std::string& place, const std::vector<std::string>& in_use)>;

  DebugLoans(std::string instance, std::string runtime_directory, Clear clear)
      : instance_(std::move(instance)),
        runtime_directory_(std::move(runtime_directory)),
        clear_(std::move(clear)) {}

  // `wanted`: the folder that was asked for; empty: a new one.
  Result<DebugLoan> lend(const std::string& wanted, const std::string& pool,
                         const worker::Identity& identity);
  // Nothing was started with it.
  void take_back(std::uint64_t number);
  // Somebody writes there until `is_over` says so. Of older ones the last few stay.
  void begin(std::uint64_t number, std::function<bool()> is_over);

 private:
  struct Lent {
    DebugLoan loan;
    bool is_ours = false;           // the folder
    std::function<bool()> is_over;  // absent while it is tried
  };

  std::vector<Lent>::iterator find(std::uint64_t number);
  void forget_those_over();
  void make_room(std::string folder);  // by value: what is lent moves meanwhile

  std::string instance_, runtime_directory_;
  Clear clear_;
  std::uint64_t last_ = 0;
  std::vector<Lent> lent_;
};

}  // namespace poolwarden::cli
