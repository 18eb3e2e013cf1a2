#include "process/cpu_list.h"

#include <charconv>
#include <sstream>
#include <vector>

namespace poolwarden::process {
namespace {

bool parse_number(const std::string& text, unsigned& number) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc() && rest == end && number < CPU_SETSIZE;
}

}  // namespace

Result<cpu_set_t> parse_cpu_list(const std::string& text) {
  const Error wrong = failure("cannot read CPU list '" + text + "': expected one like 0-1,4");
  cpu_set_t set;
  CPU_ZERO(&set);
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    unsigned first = 0, last = 0;
    const auto dash = part.find('-');
    if (!parse_number(part.substr(0, dash), first)) return wrong;
    last = first;
    if (dash != std::string::npos && !parse_number(part.substr(dash + 1), last)) return wrong;
    if (last < first) return wrong;
    for (unsigned cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &set);
  }
  if (CPU_COUNT(&set) == 0) return wrong;
  return set;
}

std::string describe_cpus(const cpu_set_t& cpus) {
  std::string text;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

cpu_set_t cpus_of_slot(const cpu_set_t& all, std::uint32_t each, std::uint32_t slot) {
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &all)) cpus.push_back(cpu);
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  const std::uint64_t first = std::uint64_t{slot} * each;
  for (std::uint64_t i = 0; i < each && i < cpus.size(); ++i)
    CPU_SET(cpus[(first + i) % cpus.size()], &chosen);
  return chosen;
}

}  // namespace poolwarden::process
