#include "cli/drill_report.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/clean_text.h"
#include "base/units.h"
#include "cli/request_fields.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

json::value member(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value ? *value : json::value(nullptr);
}

json::object inner(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : json::object();
}

json::array list(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : json::array();
}

std::string words(const json::value& value) {
  return value.is_string() ? escaped(std::string_view(value.get_string())) : json::serialize(value);
}

json::object requests(const LoadOutcome& load) {
  json::object answers;
  for (const auto& [status, count] : load.answers) {
    json::value& of_class = answers[std::to_string(status / 100) + "xx"];
    of_class = count + (of_class.is_null() ? 0 : of_class.to_number<std::uint64_t>());
  }
  json::object refusals;
  for (const auto& [reason, count] : load.refusals) refusals[reason] = count;
  json::array losses;
  for (const LoadOutcome::Loss& loss : load.losses)
    losses.push_back(json::object{{"at_seconds", seconds(loss.at)}, {"how", loss.how}});
  return {{"sent", load.sent},
          {"answered", load.answered()},
          {"answers", std::move(answers)},
          {"answered_by_gateway", std::move(refusals)},
          {"lost", load.lost()},
          {"losses", std::move(losses)},
          {"slowest_seconds", seconds(load.slowest)}};
}

// How much each count has grown.
json::object growth(const json::object& before, const json::object& after) {
  json::object grown;
  for (const auto& [cause, count] : after) {
    const std::string name = cause;
    grown[cause] =
        number(after, name.c_str()).value_or(0) - number(before, name.c_str()).value_or(0);
  }
  return grown;
}

// The end of the worker, as the events tell it.
json::object end_of_worker(const json::object& course) {
  const auto pid = number(inner(course, "worker"), "pid");
  for (const json::value& each : list(course, "events")) {
    if (!each.is_object() || !each.get_object().contains("diagnosis")) continue;
    const json::object& event = each.get_object();
    if (number(event, "pid") != pid) continue;
    json::object end;
    for (const char* key : {"diagnosis", "explanation", "next_step", "exit_code", "signal"})
      if (event.contains(key)) end[key] = event.at(key);
    return end;
  }
  return {};
}

std::string how_long(const json::value& value) {
  if (!value.is_number()) return "";
  const auto milliseconds = static_cast<std::int64_t>(value.to_number<double>() * 1000);
  return describe_duration(std::chrono::milliseconds(milliseconds));
}

std::string counts(const json::object& object) {
  std::string text;
  for (const auto& [name, count] : object)
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + json::serialize(count);
  return text;
}

std::string row(const std::string& name, const std::string& text) {
  return "  " + name + std::string(name.size() < 11 ? 11 - name.size() : 0, ' ') + text + "\n";
}

std::string load_rows(const json::object& load) {
  const auto count = [&](const char* key) { return words(member(load, key)); };
  const std::string answers = counts(inner(load, "answers"));
  std::string text = row("requests", "sent " + count("sent") + ", answered " + count("answered") +
                                         (answers.empty() ? "" : " (" + answers + ")") + ", lost " +
                                         count("lost") + "; slowest answer " +
                                         how_long(member(load, "slowest_seconds")));
  const std::string by_gateway = counts(inner(load, "answered_by_gateway"));
  if (!by_gateway.empty()) text += row("", "answered by the gateway itself: " + by_gateway);
  for (const json::value& loss : list(load, "losses")) {
    if (loss.is_object())
      text += row("", "lost after " + how_long(member(loss.get_object(), "at_seconds")) + ": " +
                          words(member(loss.get_object(), "how")));
  }
  return text;
}

std::string course_rows(const json::object& report) {
  const std::string noticed = how_long(member(report, "noticed_after_seconds"));
  const std::string replaced = how_long(member(report, "replaced_after_seconds"));
  std::string text = noticed.empty() ? "serves on" : "out of service after " + noticed;
  if (!replaced.empty()) text += ", another one serves after " + replaced;
  if (!noticed.empty() && replaced.empty()) text += ", not replaced";
  if (!noticed.empty() && !flag(report, "worker_gone")) text += ", has not ended yet";
  text = row("worker", text);
  const json::object end = inner(report, "end");
  if (end.empty()) return text;
  text += row("end", words(member(end, "diagnosis")) + ": " + words(member(end, "explanation")));
  if (end.contains("next_step")) text += row("next step", words(end.at("next_step")));
  return text;
}

std::string event_rows(const json::object& report) {
  std::string text;
  std::string name = "recorded";
  for (const json::value& each : list(report, "events")) {
    if (!each.is_object()) continue;
    const json::object& event = each.get_object();
    const std::string who = event.contains("pid") ? " pid=" + words(event.at("pid")) : "";
    text += row(name, words(member(event, "time")) + " " + words(member(event, "event")) + who +
                          ": " + words(member(event, "message")));
    name.clear();
  }
  return text;
}

}  // namespace

json::object as_json(const DrillFindings& findings) {
  json::object report = {
      {"pool", findings.pool}, {"drill", findings.drill}, {"exit", findings.exit_code}};
  for (const auto& [key, value] : findings.course) report[key] = value;
  report["end"] = nullptr;
  json::object end = end_of_worker(findings.course);
  if (!end.empty()) report["end"] = std::move(end);
  report["requests"] = nullptr;
  if (findings.load) {
    report["requests"] = requests(*findings.load);
    report["requests_lost_total"] = growth(findings.lost_before, findings.lost_after);
  }
  return report;
}

std::string as_text(const json::object& report) {
  const json::object worker = inner(report, "worker");
  std::string text = words(member(report, "drill")) + " in pool " + words(member(report, "pool"));
  if (!worker.empty())
    text += ": worker " + words(member(worker, "slot")) + ", generation " +
            words(member(worker, "generation")) + ", pid " + words(member(worker, "pid"));
  text += "\n";
  const json::object load = inner(report, "requests");
  if (!load.empty()) text += load_rows(load);
  if (!worker.empty()) text += course_rows(report) + event_rows(report);
  if (!load.empty())
    text += row("counted", "poolwarden_http_requests_lost_total of all clients has grown by: " +
                               counts(inner(report, "requests_lost_total")));
  return text;
}

}  // namespace poolwarden::cli
