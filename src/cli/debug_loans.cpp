#include "cli/debug_loans.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/debug_folder.h"

namespace poolwarden::cli {

Result<DebugLoan> DebugLoans::lend(const std::string& wanted, const std::string& pool,
                                   const worker::Identity& identity) {
  forget_those_over();
  Lent lent;
  lent.is_ours = wanted.empty();
  lent.loan.folder = wanted;
  if (lent.is_ours) {
    auto made = make_debug_folder(instance_, runtime_directory_, pool, identity);
    if (!made) return made.error();
    lent.loan.folder = std::move(*made);
  } else if (auto taken = take_debug_folder(wanted, identity); !taken) {
    return taken.error();
  }
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
  if (!lent.is_ours) return;
  discard_debug_folder(lent.loan.folder);
  make_room(lent.loan.folder);
}

void DebugLoans::begin(std::uint64_t number, std::function<bool()> is_over) {
  const auto found = find(number);
  if (found == lent_.end()) return;
  found->is_over = std::move(is_over);
  if (found->is_ours) make_room(found->loan.folder);
}

void DebugLoans::forget_those_over() {
  std::erase_if(lent_, [](const Lent& lent) {
    if (!lent.is_over || !lent.is_over()) return false;
    ::unlink(lent.loan.script.c_str());
    return true;
  });
}

void DebugLoans::make_room(std::string folder) {
  forget_those_over();
  std::vector<std::string> in_use;
  for (const Lent& lent : lent_) in_use.push_back(lent.loan.folder);
  clear_(std::filesystem::path(std::move(folder)).parent_path(), in_use);
}

}  // namespace poolwarden::cli
