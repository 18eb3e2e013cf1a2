#include "cli/debug_loans.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace poolwarden::cli {

namespace {

std::string place_of(const std::string& folder) {
  return std::filesystem::path(folder).parent_path();
}

}  // namespace

DebugLoan DebugLoans::lend(std::string folder, bool is_ours) {
  forget_those_over();
  Lent lent;
  lent.is_ours = is_ours;
  lent.loan.folder = std::move(folder);
  lent.loan.number = ++last_;
  lent.loan.script = runtime_directory_ + "/debug-" + std::to_string(last_);
  lent_.push_back(lent);
  return lent.loan;
}

std::vector<DebugLoans::Lent>::iterator DebugLoans::find(std::uint64_t number) {
  return std::find_if(lent_.begin(), lent_.end(),
                      [number](const Lent& lent) { return lent.loan.number == number; });
}

void DebugLoans::take_back(std::uint64_t number) {
  const auto found = find(number);
  if (found == lent_.end()) return;
  const Lent lent = *found;
  lent_.erase(found);
  ::unlink(lent.loan.script.c_str());
  if (lent.is_ours) make_room(place_of(lent.loan.folder), lent.loan.folder);
}

void DebugLoans::begin(std::uint64_t number, std::function<bool()> is_over) {
  const auto found = find(number);
  if (found == lent_.end()) return;
  found->is_over = std::move(is_over);
  if (found->is_ours) make_room(place_of(found->loan.folder));
}

void DebugLoans::forget_those_over() {
  std::erase_if(lent_, [](const Lent& lent) {
    if (!lent.is_over || !lent.is_over()) return false;
    ::unlink(lent.loan.script.c_str());
    return true;
  });
}

void DebugLoans::make_room(const std::string& place, const std::string& discarded) {
  forget_those_over();
  Room room{place, discarded, {}};
  for (const Lent& lent : lent_) room.in_use.push_back(lent.loan.folder);
  clear_(room);
}

}  // namespace poolwarden::cli
