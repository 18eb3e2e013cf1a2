#include "metrics/describe.h"

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "metrics/label_values.h"

namespace poolwarden::metrics {
namespace {

namespace json = boost::json;

template <typename Visit>
void for_each_metric(Visit visit) {
  for (int i = 0; i < kMetrics; ++i) visit(about(static_cast<Metric>(i)));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

json::string as_json(std::string_view text) { return json::string(text.data(), text.size()); }

}  // namespace

std::string catalogue_text() {
  std::string text;
  for_each_metric([&](const MetricInfo& info) {
    text += std::string(info.name) + " (" + std::string(type_name(info.type)) + ")\n  " +
            info.help + "\n";
    for (const std::string& label : label_names(info)) {
      const auto values = label_values(info.metric, label);
      text += "  " + label + (values.empty() ? "" : ": " + joined(values)) + "\n";
    }
  });
  return text;
}

std::string catalogue_markdown() {
  std::string all = "| name | type | labels | help |\n|---|---|---|---|\n";
  std::string closed = "| label | of | values |\n|---|---|---|\n";
  for_each_metric([&](const MetricInfo& info) {
    const std::string name = "| `" + std::string(info.name) + "` | ";
    all += name + std::string(type_name(info.type)) + " | " + std::string(info.labels) + " | " +
           info.help + " |\n";
    for (const std::string& label : label_names(info)) {
      const auto values = label_values(info.metric, label);
      if (!values.empty()) closed += "| " + label + " " + name + joined(values) + " |\n";
    }
  });
  return all + "\n" + closed;
}

json::array catalogue_json() {
  json::array all;
  for_each_metric([&](const MetricInfo& info) {
    json::array labels;
    for (const std::string& label : label_names(info)) {
      json::object described = {{"name", as_json(label)}, {"values", nullptr}};
      const auto values = label_values(info.metric, label);
      if (!values.empty()) described["values"] = json::array(values.begin(), values.end());
      labels.push_back(std::move(described));
    }
    all.push_back(json::object{{"name", info.name},
                               {"type", as_json(type_name(info.type))},
                               {"help", info.help},
                               {"labels", std::move(labels)}});
  });
  return all;
}

}  // namespace poolwarden::metrics
