#include "gateway/field.h"

#include <algorithm>

namespace poolwarden::gateway {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

void ConnectionOptions::reset() {
  close = keep_alive = upgrade = false;
  field_names.clear();
}

void ConnectionOptions::add(std::string_view value) {
  for_each_element(value, [this](std::string_view option) {
    if (equal_ignoring_case(option, "close")) {
      close = true;
    } else if (equal_ignoring_case(option, "keep-alive")) {
      keep_alive = true;
    } else if (equal_ignoring_case(option, "upgrade")) {
      upgrade = true;
    } else {
      field_names.push_back(option);
    }
  });
}

bool ConnectionOptions::names(std::string_view field) const {
  return std::any_of(field_names.begin(), field_names.end(),
                     [&](std::string_view option) { return equal_ignoring_case(option, field); });
}

}  // namespace poolwarden::gateway
