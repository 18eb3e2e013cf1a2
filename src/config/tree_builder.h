// Builds the tree of nodes from the parser's events: anchors and aliases, merge keys, duplicates.

#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"

namespace poolwarden::config {

Place place_of(const YAML::Mark& mark);

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& text) : text_(text) {}

  NodePtr top() const { return top_; }
  const std::vector<Finding>& findings() const { return findings_; }
  // The innermost list or map that has not been closed, for an error at the end of the file.
  const Node* open() const { return open_.empty() ? nullptr : open_.back().node.get(); }
  // More than anybody writes: to be refused before it is walked.
  bool too_large() const { return too_large_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor;
    std::optional<Entry> key = {};      // of a map: the key whose value comes next
    bool key_is_text = true;            // a key that is none has been told of
    std::vector<Entry> inherited = {};  // of a map: what merge keys bring
  };

  std::string path() const;  // of what is being read
  void error(const Place& place, const std::string& message);
  void refuse_size(const Place& place);
  void check_tag(const YAML::Mark& mark, const std::string& tag);
  void check_quotes(const YAML::Mark& mark);
  void open(Node node, YAML::anchor_t anchor);
  void close();
  void add(const NodePtr& node, const Place& place, YAML::anchor_t anchor);
  void add_key(Open& map, const NodePtr& node, const Place& place);
  void add_value(Open& map, const NodePtr& node);
  void keep_value(Open& map, const NodePtr& node);
  void merge(Open& map, const NodePtr& source, const Place& place);

  const std::string& text_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, NodePtr> anchors_;  // complete ones: a node cannot hold itself
  NodePtr top_;
  std::size_t brought_ = 0;  // entries looked at for merge keys
  bool too_large_ = false;
  std::vector<Finding> findings_;
};

}  // namespace poolwarden::config
