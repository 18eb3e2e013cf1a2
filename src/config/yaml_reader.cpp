#include "config/yaml_reader.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

#include "config/tree_builder.h"

namespace poolwarden::config {
namespace {

constexpr std::size_t kLargestText = 1024 * 1024;

std::string line_of(const std::string& text, int line) {
  std::istringstream lines(text);
  std::string found;
  for (int i = 0; i < line && std::getline(lines, found); ++i) {
  }
  return found;
}

// What people most often mean by text that is not YAML.
std::string cure_of(const std::string& text, const Place& place, const std::string& message) {
  const std::string line = line_of(text, place.line);
  const std::size_t first = line.find_first_not_of(" \t");
  if (line.find('\t') < first) return "; indent with spaces: YAML does not take tabs";
  if (message.find("alias") != std::string::npos || message.find("anchor") != std::string::npos) {
    return "; a text that begins with * or & needs quotes, as in \"*\"";
  }
  if (message == "illegal map value" || message == "end of map flow not found") {
    return "; a text with a colon and a space in it needs quotes, and keys of one map the same "
           "indentation";
  }
  if (message == "unknown token") {
    return "; a text that begins with @, % or ` needs quotes";
  }
  return "; look at the indentation and at quotes and brackets before this place";
}

Finding syntax_error(const std::string& text, const TreeBuilder& builder,
                     const YAML::Exception& exception) {
  Place place = place_of(exception.mark);
  const Node* open = builder.open();
  // The parser places a missing bracket at the end of the file, or nowhere.
  const bool nowhere =
      exception.mark.pos <= 0 || static_cast<std::size_t>(exception.mark.pos) >= text.size();
  const bool at_end = open && nowhere && exception.msg.ends_with("flow not found");
  if (at_end) {
    const bool list = open->kind == Node::Kind::List;
    return {Finding::Kind::Error, open->place.line, open->place.column, "",
            std::string("this is not YAML: the ") + (list ? "list" : "map") +
                " that begins here is never closed; add a " + (list ? "]" : "}")};
  }
  return {Finding::Kind::Error, place.line, place.column, "",
          "this is not YAML: " + exception.msg + cure_of(text, place, exception.msg)};
}

}  // namespace

Document read_yaml(const std::string& text) {
  if (text.size() > kLargestText) {
    return {nullptr, {{Finding::Kind::Error, 0, 0, "", "the file is larger than 1 MiB"}}};
  }
  TreeBuilder builder(text);
  try {
    // With a line end at the end, the parser gets to tell where an endless quoted text begins.
    std::istringstream stream(text.ends_with('\n') ? text : text + "\n");
    YAML::Parser parser(stream);
    // Two are enough to know that there is more than one.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& exception) {
    std::vector<Finding> findings = builder.findings();
    findings.push_back(syntax_error(text, builder, exception));
    return {nullptr, findings};
  }
  return {builder.too_large() ? nullptr : builder.top(), builder.findings()};
}

}  // namespace poolwarden::config
