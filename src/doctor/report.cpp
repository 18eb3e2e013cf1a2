#include "doctor/report.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <optional>

#include "base/wrap.h"

namespace poolwarden::doctor {
namespace {

namespace json = boost::json;

constexpr std::size_t kOutcomeWidth = 9;
constexpr std::size_t kSubjectWidth = 14;
constexpr std::size_t kTextBegins = 2 + kOutcomeWidth + kSubjectWidth;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

void append_more(const std::string& label, const std::string& text, std::string& table) {
  if (text.empty()) return;
  table += std::string(kTextBegins, ' ');
  append_wrapped(table, label + " " + text, kTextBegins, kTextBegins);
}

void append_check(const Check& check, std::string& table) {
  table += "  " + padded(std::string(name(check.outcome)), kOutcomeWidth) +
           padded(check.subject, kSubjectWidth);
  append_wrapped(table, check.found, kTextBegins, kTextBegins);
  append_more("cause:", check.cause, table);
  append_more("cure:", check.cure, table);
}

std::string counted(std::size_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

std::string verdict(const Report& report) {
  const std::size_t problems = report.count(Outcome::Problem);
  const std::size_t notes = report.count(Outcome::Note);
  if (problems == 0 && notes == 0) return "nothing is wrong\n";
  return counted(problems, "problem") + ", " + counted(notes, "note") + "\n";
}

json::object as_object(const Check& check) {
  return {{"subject", check.subject},
          {"result", name(check.outcome)},
          {"found", check.found},
          {"cause", check.cause},
          {"cure", check.cure}};
}

std::optional<Outcome> outcome_of(std::string_view word) {
  for (const Outcome outcome : {Outcome::Ok, Outcome::Note, Outcome::Problem})
    if (name(outcome) == word) return outcome;
  return std::nullopt;
}

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::Ok:
      return "ok";
    case Outcome::Note:
      return "note";
    case Outcome::Problem:
      return "problem";
  }
  return "";
}

std::size_t Report::count(Outcome outcome) const {
  std::size_t found = 0;
  for (const Section& section : sections)
    found += static_cast<std::size_t>(
        std::count_if(section.checks.begin(), section.checks.end(),
                      [&](const Check& check) { return check.outcome == outcome; }));
  return found;
}

std::string as_table(const Report& report) {
  std::string table = "in " + report.host + "\n";
  for (const Section& section : report.sections) {
    table += "\n" + section.title + "\n";
    for (const Check& check : section.checks) append_check(check, table);
  }
  return table + "\n" + verdict(report);
}

json::object as_json(const Report& report) {
  json::array checks;
  for (const Section& section : report.sections) {
    for (const Check& check : section.checks) {
      json::object object = as_object(check);
      object["pool"] = section.pool.empty() ? json::value() : json::value(section.pool);
      checks.push_back(std::move(object));
    }
  }
  return {{"file", report.file.empty() ? json::value() : json::value(report.file)},
          {"host", report.host},
          {"problems", report.count(Outcome::Problem)},
          {"notes", report.count(Outcome::Note)},
          {"checks", std::move(checks)}};
}

json::array to_json(const Checks& checks) {
  json::array array;
  for (const Check& check : checks) array.push_back(as_object(check));
  return array;
}

Checks checks_from_json(const json::array& array) {
  Checks checks;
  for (const json::value& value : array) {
    if (!value.is_object()) continue;
    const json::object& object = value.get_object();
    const auto outcome = outcome_of(text_of(object, "result"));
    if (!outcome) continue;
    checks.push_back({*outcome, text_of(object, "subject"), text_of(object, "found"),
                      text_of(object, "cause"), text_of(object, "cure")});
  }
  return checks;
}

}  // namespace poolwarden::doctor
