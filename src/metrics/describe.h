// The whole catalogue written down, for people, for the documentation, and for programs.

#pragma once

#include <boost/json/array.hpp>
#include <string>

namespace poolwarden::metrics {

// A few lines for each metric.
std::string catalogue_text();

// The tables of docs/metrics.md: all metrics, and the labels whose values are a closed set.
std::string catalogue_markdown();

// [{"name", "type", "help", "labels": [{"name", "values"}]}]; values: null for an open set.
boost::json::array catalogue_json();

}  // namespace poolwarden::metrics
