// Families of metrics as OpenMetrics 1.0.0 text.

#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace poolwarden::metrics {

std::string open_metrics_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace poolwarden::metrics
