// One row of the tables of wrong configurations: the text, and where, at which path and with which
// words it is complained of.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/parse_settings.h"

namespace poolwarden::config {

struct BadSettings {
  std::string yaml;
  int line;
  int column;
  std::string path;
  std::string words;  // part of the message: what is wrong and what cures it
};

// A file with one pool that has a command, and `keys` from line 4 on.
inline std::string pool(const std::string& keys) {
  std::string indented = "    " + keys;
  for (std::size_t at = 0; (at = indented.find('\n', at)) != std::string::npos; ++at) {
    indented.insert(at + 1, "    ");
  }
  return "pools:\n  web:\n    command: [a]\n" + indented + "\n";
}

inline std::string all_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += "  " + describe(finding, "file") + "\n";
  return text;
}

inline void expect_complaints(const std::vector<BadSettings>& table) {
  for (const BadSettings& bad : table) {
    const Parsed parsed = parse_settings(bad.yaml);
    const bool told =
        std::any_of(parsed.findings.begin(), parsed.findings.end(), [&](const Finding& finding) {
          return finding.kind == Finding::Kind::Error && finding.line == bad.line &&
                 finding.column == bad.column && finding.path == bad.path &&
                 finding.message.find(bad.words) != std::string::npos;
        });
    EXPECT_FALSE(parsed.ok()) << bad.yaml;
    EXPECT_TRUE(told) << bad.yaml << "\nshould be told of at " << bad.line << ":" << bad.column
                      << " (" << bad.path << ") with: " << bad.words << "\nbut got:\n"
                      << all_of(parsed.findings);
  }
}

}  // namespace poolwarden::config
