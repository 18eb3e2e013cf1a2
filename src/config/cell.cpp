#include "config/cell.h"

namespace poolwarden::config {

void Cell::warning(const std::string& message) const {
  findings->push_back(
      {Finding::Kind::Warning, node->place.line, node->place.column, path, message});
}

void Cell::error_at(const Place& place, const std::string& where,
                    const std::string& message) const {
  findings->push_back({Finding::Kind::Error, place.line, place.column, where, message});
}

void Cell::expected(const std::string& what, const std::string& cure) const {
  error("expected " + what + ", got " + describe(*node) + (cure.empty() ? "" : "; " + cure));
}

Cell Cell::value_of(const Entry& entry) const {
  return {entry.value.get(), join(path, entry.key), findings};
}

Cell Cell::item(std::size_t index) const {
  return {node->items[index].get(), path + "[" + std::to_string(index) + "]", findings};
}

Cell Cell::below(const std::string& relative) const {
  Cell cell = *this;
  std::string rest = relative;
  while (!rest.empty()) {
    const std::size_t dot = rest.find('.');
    const Entry* entry = cell.node->find(rest.substr(0, dot));
    if (!entry) break;
    cell = cell.value_of(*entry);
    rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
  }
  return cell;
}

bool Cell::has(const std::string& relative) const {
  return below(relative).path == join(path, relative);
}

std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string one_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string wrong_text(const std::string& what, const std::string& text, const std::string& cure) {
  return "expected " + what + ", got " + quoted(text) + (cure.empty() ? "" : "; " + cure);
}

}  // namespace poolwarden::config
