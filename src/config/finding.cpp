#include "config/finding.h"

namespace poolwarden::config {
namespace {

const char* word(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::Error:
      return "error";
    case Finding::Kind::Warning:
      return "warning";
    case Finding::Kind::NotInEffect:
      return "note";
  }
  return "";
}

}  // namespace

std::string describe(const Finding& finding, const std::string& file_name) {
  std::string text = file_name;
  if (finding.line > 0) {
    text += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  }
  text += std::string(": ") + word(finding.kind) + ": ";
  if (!finding.path.empty()) text += finding.path + ": ";
  text += finding.message;
  // A key may hold line ends; a finding is one line.
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

void locate(std::vector<Finding>& findings, const Places& places) {
  for (Finding& finding : findings) {
    std::string path = finding.path;
    while (finding.line == 0 && !path.empty()) {
      const auto found = places.find(path);
      if (found != places.end()) {
        finding.line = found->second.line;
        finding.column = found->second.column;
      }
      const std::size_t dot = path.rfind('.');
      path.resize(dot == std::string::npos ? 0 : dot);
    }
  }
}

}  // namespace poolwarden::config
