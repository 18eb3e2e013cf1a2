// Collects from everyone who has metrics and writes them down: families and series in a fixed
// order, each family once, with nothing in it that could break a scrape.

#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::metrics {

enum class ExpositionFormat { Text, OpenMetrics };

// What a scraper's Accept header asks for; Text when it does not say.
ExpositionFormat choose_format(std::string_view accept);
std::string_view content_type(ExpositionFormat format);

class Exposition {
 public:
  // `name` is the label of poolwarden_scrape_collector_success. The collector must outlive this.
  void add(std::string name, const prometheus::Collectable& collector);

  // One scrape. From one thread at a time.
  std::string render(ExpositionFormat format) const;

 private:
  struct Part {
    std::string name;
    const prometheus::Collectable& collector;
  };
  std::vector<prometheus::MetricFamily> collect() const;

  std::vector<Part> parts_;
};

// Merges families of one name, sorts families and series, and makes all text harmless.
void tidy(std::vector<prometheus::MetricFamily>& families);

}  // namespace poolwarden::metrics
