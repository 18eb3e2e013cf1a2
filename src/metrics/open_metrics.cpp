#include "metrics/open_metrics.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

using prometheus::MetricType;

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// Bounds of buckets have a point or an exponent: "1.0", not "1".
std::string bound(double value) {
  std::string text = number(value);
  if (text.find_first_not_of("0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void append_sample(std::string& out, std::string_view name, const Labels& labels,
                   const std::string& value) {
  out += name;
  if (!labels.empty()) {
    char separator = '{';
    for (const auto& label : labels) {
      out += separator;
      out += label.name + "=\"" + escaped(label.value) + '"';
      separator = ',';
    }
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void append_histogram(std::string& out, const std::string& name,
                      const prometheus::ClientMetric& sample) {
  bool has_infinity = false;
  const auto append_bucket = [&](double upper, std::uint64_t count) {
    Labels labels = sample.label;
    labels.push_back({"le", bound(upper)});
    append_sample(out, name + "_bucket", labels, std::to_string(count));
    has_infinity = std::isinf(upper);
  };
  for (const auto& bucket : sample.histogram.bucket) {
    append_bucket(bucket.upper_bound, bucket.cumulative_count);
  }
  if (!has_infinity) append_bucket(HUGE_VAL, sample.histogram.sample_count);
  append_sample(out, name + "_count", sample.label, std::to_string(sample.histogram.sample_count));
  append_sample(out, name + "_sum", sample.label, number(sample.histogram.sample_sum));
}

void append_summary(std::string& out, const std::string& name,
                    const prometheus::ClientMetric& sample) {
  for (const auto& quantile : sample.summary.quantile) {
    Labels labels = sample.label;
    labels.push_back({"quantile", bound(quantile.quantile)});
    append_sample(out, name, labels, number(quantile.value));
  }
  append_sample(out, name + "_count", sample.label, std::to_string(sample.summary.sample_count));
  append_sample(out, name + "_sum", sample.label, number(sample.summary.sample_sum));
}

void append_value(std::string& out, const std::string& name, MetricType type,
                  const prometheus::ClientMetric& sample) {
  switch (type) {
    case MetricType::Counter:
      return append_sample(out, name + "_total", sample.label, number(sample.counter.value));
    case MetricType::Gauge:
      return append_sample(out, name, sample.label, number(sample.gauge.value));
    case MetricType::Untyped:
      return append_sample(out, name, sample.label, number(sample.untyped.value));
    case MetricType::Summary:
      return append_summary(out, name, sample);
    case MetricType::Histogram:
      return append_histogram(out, name, sample);
  }
}

// A counter's family is called without the _total that its samples have.
std::string family_name(const prometheus::MetricFamily& family) {
  constexpr std::string_view kTotal = "_total";
  if (family.type == MetricType::Counter && family.name.ends_with(kTotal)) {
    return family.name.substr(0, family.name.size() - kTotal.size());
  }
  return family.name;
}

}  // namespace

std::string open_metrics_text(const std::vector<prometheus::MetricFamily>& families) {
  std::string out;
  for (const prometheus::MetricFamily& family : families) {
    const std::string name = family_name(family);
    out += "# TYPE " + name + " " + std::string(type_name(family.type)) + "\n";
    if (!family.help.empty()) out += "# HELP " + name + " " + escaped(family.help) + "\n";
    for (const auto& sample : family.metric) append_value(out, name, family.type, sample);
  }
  return out + "# EOF\n";
}

}  // namespace poolwarden::metrics
