// What orders to debug were given to write to: who still writes there, and what may go.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace poolwarden::cli {

struct DebugLoan {
  std::uint64_t number = 0;
  std::string folder;  // the worker's user may write there
  std::string script;  // where what the tool is told may be written; he may read it
};

class DebugLoans {
 public:
  // discard_debug_folder() for `discarded`, if it is not empty, and clear_debug_folders() for what
  // it is or was in; without waiting for either.
  struct Room {
    std::string place, discarded;
    std::vector<std::string> in_use;
  };
  using Clear = std::function<void(const Room& room)>;

  DebugLoans(std::string runtime_directory, Clear clear)
      : runtime_directory_(std::move(runtime_directory)), clear_(std::move(clear)) {}

  // `is_ours`: it was made by make_debug_folder(), not asked for.
  DebugLoan lend(std::string folder, bool is_ours);
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
  void make_room(const std::string& place, const std::string& discarded = "");

  std::string runtime_directory_;
  Clear clear_;
  std::uint64_t last_ = 0;
  std::vector<Lent> lent_;
};

}  // namespace poolwarden::cli
