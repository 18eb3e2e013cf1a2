#include "metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/clean_text.h"
#include "base/clock.h"
#include "metrics/open_metrics.h"
#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

// HELP is one line; prometheus-cpp does not escape it.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return c == '\\' || static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

// "text/plain;version=0.0.4;q=0.5" -> 0.5
double quality(std::string_view range) {
  const std::size_t at = range.find(";q=");
  if (at == std::string_view::npos) return 1;
  double value = 1;
  const char* begin = range.data() + at + 3;
  const auto parsed = std::from_chars(begin, range.data() + range.size(), value);
  return parsed.ec == std::errc() ? value : 0;
}

std::string without_spaces(std::string_view text) {
  std::string packed(text);
  std::erase_if(packed, [](char c) { return c == ' ' || c == '\t'; });
  return packed;
}

}  // namespace

ExpositionFormat choose_format(std::string_view accept) {
  const std::string packed = without_spaces(accept);
  double open_metrics = 0;
  double text = 0;
  for (std::size_t begin = 0; begin < packed.size();) {
    const std::size_t end = std::min(packed.find(',', begin), packed.size());
    const std::string_view range = std::string_view(packed).substr(begin, end - begin);
    begin = end + 1;
    if (range.starts_with("application/openmetrics-text")) {
      const bool is_version_known = range.find("version=") == std::string_view::npos ||
                                    range.find("version=1.0.0") != std::string_view::npos;
      if (is_version_known) open_metrics = std::max(open_metrics, quality(range));
    } else if (range.starts_with("text/plain") || range.starts_with("text/*") ||
               range.starts_with("*/*")) {
      text = std::max(text, quality(range));
    }
  }
  return open_metrics > 0 && open_metrics >= text ? ExpositionFormat::OpenMetrics
                                                  : ExpositionFormat::Text;
}

std::string_view content_type(ExpositionFormat format) {
  switch (format) {
    case ExpositionFormat::Text:
      return "text/plain; version=0.0.4; charset=utf-8";
    case ExpositionFormat::OpenMetrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return "text/plain";
}

void tidy(std::vector<prometheus::MetricFamily>& families) {
  std::map<std::string, prometheus::MetricFamily> by_name;
  for (prometheus::MetricFamily& family : families) {
    const auto [place, is_new] = by_name.try_emplace(family.name, std::move(family));
    if (is_new) continue;
    std::move(family.metric.begin(), family.metric.end(), std::back_inserter(place->second.metric));
  }
  families.clear();
  for (auto& [name, family] : by_name) {
    if (family.metric.empty()) continue;
    family.help = one_line(std::move(family.help));
    for (prometheus::ClientMetric& sample : family.metric) {
      // One byte that is not UTF-8 makes Prometheus refuse the whole scrape.
      for (auto& label : sample.label) label.value = valid_utf8(label.value);
    }
    std::stable_sort(family.metric.begin(), family.metric.end(),
                     [](const auto& a, const auto& b) { return a.label < b.label; });
    families.push_back(std::move(family));
  }
}

void Exposition::add(std::string name, const prometheus::Collectable& collector) {
  parts_.push_back({std::move(name), collector});
}

std::vector<prometheus::MetricFamily> Exposition::collect() const {
  std::vector<prometheus::MetricFamily> families;
  Samples own;
  for (const Part& part : parts_) {
    const TimePoint begin = Clock::now();
    bool succeeded = true;
    try {
      for (auto& family : part.collector.Collect()) families.push_back(std::move(family));
    } catch (const std::exception&) {
      succeeded = false;  // the rest of the scrape is still worth having
    }
    const Labels labels = {{"collector", part.name}};
    own.add(Metric::ScrapeDuration, labels, std::optional<Duration>(Clock::now() - begin));
    own.add(Metric::ScrapeSuccess, labels, succeeded ? 1.0 : 0.0);
  }
  for (auto& family : own.take()) families.push_back(std::move(family));
  tidy(families);
  return families;
}

std::string Exposition::render(ExpositionFormat format) const {
  const std::vector<prometheus::MetricFamily> families = collect();
  switch (format) {
    case ExpositionFormat::Text:
      return prometheus::TextSerializer().Serialize(families);
    case ExpositionFormat::OpenMetrics:
      return open_metrics_text(families);
  }
  return "";
}

}  // namespace poolwarden::metrics
