#include "cli/why_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/clean_text.h"
#include "base/units.h"
#include "base/wrap.h"
#include "journal/certificate_json.h"
#include "journal/json_values.h"
#include "journal/log_line.h"

namespace poolwarden::cli {
namespace {

using journal::array_in;
using journal::count_in;
using journal::flag_in;
using journal::microseconds_in;

namespace json = boost::json;

std::string padded(std::string text, std::size_t columns) {
  return text.size() < columns ? text + std::string(columns - text.size(), ' ') : text + " ";
}

std::string moment(const json::object& object, const char* key) {
  std::string text = journal::format_time(WallTime(microseconds_in(object, key)));
  text[10] = ' ';
  return text.substr(0, 19);  // to the second
}

std::string length(const json::object& object, const char* key) {
  return describe_duration(microseconds_in(object, key));
}

// The supervisor may be one of another version, and what it read from its disk be anything.
std::string word(const json::object& object, const char* key) {
  return escaped(journal::text_in(object, key));
}

// The lives.

std::string end_of(const json::object& life) {
  if (!life.contains("ended")) return "it lives";
  std::string end = word(life, "ended_because");
  if (const std::string reason = word(life, "recycled_because"); !reason.empty())
    end += ": " + reason;
  if (life.contains("certificate")) end += " #" + std::to_string(count_in(life, "certificate"));
  return end;
}

std::string lived(const json::object& life) {
  if (!life.contains("ended")) return "";
  return describe_duration(microseconds_in(life, "ended") - microseconds_in(life, "born"));
}

void add_history(std::string& page, const json::array& lives) {
  if (lives.empty()) return;
  page += "worker gen   born (UTC)           because   ready in  lived     end\n";
  bool was_earlier = false;
  for (const json::value& each : lives) {
    if (!each.is_object()) continue;
    const json::object& life = each.get_object();
    const bool is_earlier = flag_in(life, "earlier_supervisor");
    if (is_earlier && !was_earlier) page += "-- before the supervisor was started again --\n";
    was_earlier = is_earlier;
    const std::string ready =
        life.contains("ready_after_seconds") ? length(life, "ready_after_seconds") : "";
    page += padded(std::to_string(count_in(life, "worker")), 7) +
            padded(std::to_string(count_in(life, "generation")), 6) +
            padded(moment(life, "born"), 21) + padded(word(life, "started_because"), 10) +
            padded(ready, 10) + padded(lived(life), 10) + end_of(life) + "\n";
  }
}

// The certificates.

// Lines that are too long are broken, but for what the worker itself wrote.
void add_wrapped(std::string& page, std::string_view text) {
  bool is_output = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (is_output) {
      page.append("  ").append(line).append("\n");
    } else {
      page.append(indent, ' ');
      append_wrapped(page, line.substr(indent), indent, indent + 2);
    }
    is_output = is_output || line == "last output:";
  }
}

// Of an end that was asked for one sentence is enough, unless it is asked for by its number.
void add_certificate(std::string& page, const json::object& object, bool all_of_it) {
  const auto certificate = journal::certificate_from(object);
  if (!certificate) return;
  page += "\n#" + std::to_string(certificate->number) + ", " + moment(object, "ended") + " UTC\n";
  if (certificate->diagnosis.expected && !all_of_it) {
    add_wrapped(page, "worker " + std::to_string(certificate->slot) + ", generation " +
                          std::to_string(certificate->generation) + ": " +
                          escaped(certificate->diagnosis.sentence));
  } else {
    add_wrapped(page, describe(*certificate));
  }
}

}  // namespace

std::string why_text(const json::object& answer) {
  std::string page;
  add_history(page, array_in(answer, "history"));
  const json::array& certificates = array_in(answer, "certificates");
  for (const json::value& each : certificates) {
    if (each.is_object()) add_certificate(page, each.get_object(), answer.contains("number"));
  }
  if (const std::uint64_t left_out = count_in(answer, "left_out"); left_out > 0) {
    page += "\n" + std::to_string(left_out) +
            " older certificates are left out: ask for one worker, or by number.\n";
  }
  if (certificates.empty()) {
    page += (page.empty() ? "" : "\n") + std::string("No worker of ") + word(answer, "pool") +
            (answer.contains("worker") ? "/" + json::serialize(answer.at("worker")) : "") +
            " has ended, as far as is remembered.\n";
  }
  return page;
}

}  // namespace poolwarden::cli
