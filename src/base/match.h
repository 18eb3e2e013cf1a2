// std::visit with one lambda a case:  std::visit(Match{[](A) {…}, [](B) {…}}, variant).
// A case that no lambda takes does not compile.

#pragma once

namespace poolwarden {

template <typename... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};

template <typename... Handlers>
Match(Handlers...) -> Match<Handlers...>;  // clang 14 needs the guide

}  // namespace poolwarden
