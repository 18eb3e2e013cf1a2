// A value of the file as its reader sees it: with its path, and a place to complain at.

#pragma once

#include <string>
#include <vector>

#include "config/node.h"

namespace poolwarden::config {

struct Cell {
  const Node* node;
  std::string path;  // "pools.web.stop.signal"
  std::vector<Finding>* findings;

  void error(const std::string& message) const { error_at(node->place, path, message); }
  void warning(const std::string& message) const;
  void error_at(const Place& place, const std::string& where, const std::string& message) const;
  // "expected <what>, got <this>".
  void expected(const std::string& what, const std::string& cure = "") const;

  Cell value_of(const Entry& entry) const;
  Cell item(std::size_t index) const;
  // The value at "a.b.c" below, or the deepest one above it that the file has.
  Cell below(const std::string& relative) const;
  bool has(const std::string& relative) const;
};

std::string join(const std::string& path, const std::string& key);

// "connect, notify or started".
std::string one_of(const std::vector<std::string>& words);

// "expected <what>, got "<text>"; <cure>", for what is not right in a text.
std::string wrong_text(const std::string& what, const std::string& text,
                       const std::string& cure = "");

}  // namespace poolwarden::config
