#include "metrics/program_collector.h"

#include "metrics/samples.h"

namespace poolwarden::metrics {

std::vector<prometheus::MetricFamily> ProgramCollector::Collect() const {
  Samples samples;
  samples.add(Metric::BuildInfo,
              {{"version", build_.version},
               {"revision", build_.revision},
               {"compiler", build_.compiler},
               {"build_type", build_.build_type}},
              1);
  for (const pool::Level level : {pool::Level::Info, pool::Level::Warning, pool::Level::Error}) {
    samples.add(Metric::LogMessages, {{"level", std::string(pool::name(level))}},
                static_cast<double>(log_.written(level)));
  }
  samples.add(Metric::EventsDropped, {}, static_cast<double>(log_.dropped()));
  return samples.take();
}

}  // namespace poolwarden::metrics
