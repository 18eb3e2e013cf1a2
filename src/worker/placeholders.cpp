#include "worker/placeholders.h"

namespace poolwarden::worker {

std::string replace_names(const std::string& text,
                          const std::function<std::string(const std::string&)>& value_of) {
  std::string replaced;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    replaced.append(text, at, dollar - at);
    if (dollar == std::string::npos) break;
    const bool escaped = text.compare(dollar, 2, "$$") == 0;
    const bool opened = text.compare(dollar, 2, "${") == 0;
    const std::size_t close = opened ? text.find('}', dollar) : std::string::npos;
    if (close == std::string::npos) {
      replaced += '$';
      at = dollar + (escaped ? 2 : 1);
      continue;
    }
    replaced += value_of(text.substr(dollar + 2, close - dollar - 2));
    at = close + 1;
  }
  return replaced;
}

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  replace_names(text, [&](const std::string& name) {
    names.push_back(name);
    return std::string();
  });
  return names;
}

}  // namespace poolwarden::worker
