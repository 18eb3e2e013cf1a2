// The states that the documentation names, and what each may become, against what the program and
// its property tests hold to.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "unit/pool/pool_invariants.h"

namespace poolwarden::pool {
namespace {

using Words = std::set<std::pair<std::string, std::string>>;

// Of the table of docs/ARCHITECTURE.md whose first column has that head.
Words documented(const std::string& head) {
  std::ifstream page(std::filesystem::path(SOURCE_DIR) / "docs" / "ARCHITECTURE.md");
  std::string line;
  while (std::getline(page, line) && !line.starts_with("| " + head + " | becomes |")) continue;
  const std::regex word("`([a-z]+)`");
  Words found;
  while (std::getline(page, line) && line.starts_with("|")) {
    std::sregex_iterator at(line.begin(), line.end(), word);
    if (at == std::sregex_iterator()) continue;
    const std::string from = (*at)[1];
    for (++at; at != std::sregex_iterator(); ++at) found.emplace(from, (*at)[1]);
  }
  return found;
}

TEST(DocumentedStates, OfAWorkerAreThoseThatItCanHave) {
  Words possible;
  for (int from = 0; from <= static_cast<int>(WorkerState::Exited); ++from) {
    for (int to = 0; to <= static_cast<int>(WorkerState::Exited); ++to) {
      if (!can_become(static_cast<WorkerState>(from), static_cast<WorkerState>(to))) continue;
      possible.emplace(name(static_cast<WorkerState>(from)), name(static_cast<WorkerState>(to)));
    }
  }
  EXPECT_EQ(documented("worker"), possible);
}

TEST(DocumentedStates, OfAPoolAreThoseThatRandomLivesAreHeldTo) {
  Words possible;
  for (const auto& [from, to] : kTransitions) possible.emplace(name(from), name(to));
  EXPECT_EQ(documented("pool"), possible);
}

}  // namespace
}  // namespace poolwarden::pool
