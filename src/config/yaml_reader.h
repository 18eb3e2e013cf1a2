// YAML text -> a tree of nodes. The only file that knows yaml-cpp's parser.

#pragma once

#include <string>
#include <vector>

#include "config/node.h"

namespace poolwarden::config {

struct Document {
  NodePtr top;                    // null when the text is not YAML or holds nothing
  std::vector<Finding> findings;  // syntax, duplicate keys, aliases, a second document
};

Document read_yaml(const std::string& text);

}  // namespace poolwarden::config
