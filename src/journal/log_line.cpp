#include "journal/log_line.h"

#include <cstdio>
#include <ctime>

#include "base/clean_text.h"
#include "base/match.h"
#include "journal/certificate_json.h"
#include "journal/json_values.h"

namespace poolwarden::journal {
namespace {

namespace json = boost::json;

void add_details(json::object& object, const pool::Details& details) {
  std::visit(
      Match{
          [](std::monostate) {},
          [&](const pool::StartingDetails& it) { object["reason"] = json_text(name(it.reason)); },
          [&](const pool::ReadyDetails& it) {
            object["startup_seconds"] = json_seconds(it.startup);
          },
          [&](const pool::ExitDetails& it) {
            if (it.certificate) add_end(object, *it.certificate);
            if (it.start_failure) object["start_failure"] = json_text(name(*it.start_failure));
            object["counts_as_failure"] = it.counts_as_failure;
          },
          [&](const pool::PostMortemDetails& it) {
            if (it.certificate) add_end(object, *it.certificate);
          },
          [&](const pool::RecycleDetails& it) { object["reason"] = json_text(name(it.reason)); },
          [&](const pool::RecycledDetails& it) { object["took_seconds"] = json_seconds(it.took); },
          [&](const pool::DeferralDetails& it) { object["reason"] = json_text(name(it.reason)); },
          [&](const pool::AilmentDetails& it) {
            object["ailment"] = json_text(name(it.ailment));
            object["counts_as_failure"] = it.counts_as_failure;
          },
          [&](const pool::IdleDetails& it) { object["shortened"] = it.shortened; },
          [&](const pool::ShorteningDetails& it) { object["aggressive"] = it.aggressive; },
          [&](const pool::DisabledDetails& it) { object["reason"] = json_text(name(it.reason)); },
          [&](const pool::HookDetails& it) { object["hook"] = json_text(it.hook); },
      },
      details);
}

json::object head(WallTime at, pool::Level level) {
  return {{"time", json_text(format_time(at))}, {"level", json_text(pool::name(level))}};
}

std::string text_head(WallTime at, pool::Level level) {
  return format_time(at) + " " + std::string(pool::name(level)) + " ";
}

std::string worker_words(std::uint32_t slot, std::uint64_t generation, int pid) {
  std::string words = " worker=" + std::to_string(slot) + " gen=" + std::to_string(generation);
  if (pid != 0) words += " pid=" + std::to_string(pid);
  return words;
}

}  // namespace

std::string_view name(Stream stream) {
  switch (stream) {
    case Stream::Out:
      return "stdout";
    case Stream::Err:
      return "stderr";
  }
  return "unknown";
}

std::string format_time(WallTime time) {
  const auto since_epoch = time.time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - whole);
  const std::time_t when = whole.count();
  std::tm date = {};
  ::gmtime_r(&when, &date);
  char words[40];
  const std::size_t length = std::strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%S", &date);
  std::snprintf(words + length, sizeof words - length, ".%03dZ", static_cast<int>(rest.count()));
  return words;
}

json::object as_json(const Entry& entry) {
  const pool::EventType& type = pool::type_of(entry.event.kind);
  json::object object = head(entry.at, level_of(entry.event));
  object["event"] = json_text(type.name);
  object["sequence"] = entry.sequence;
  if (const int number = pool::was_number(entry.event); number != 0) object["was"] = number;
  if (!entry.event.pool.empty()) object["pool"] = json_text(entry.event.pool);
  if (const auto& worker = entry.event.worker) {
    object["worker"] = worker->slot;
    object["generation"] = worker->generation;
    if (worker->pid != 0) object["pid"] = worker->pid;
  }
  object["message"] = json_text(entry.event.sentence);
  add_details(object, entry.event.details);
  return object;
}

json::object as_json(const OutputLine& output) {
  json::object object = head(output.at, pool::Level::Info);
  object["event"] = "worker.output";
  object["pool"] = json_text(output.pool);
  object["worker"] = output.slot;
  object["generation"] = output.generation;
  object["pid"] = output.pid;
  object["stream"] = json_text(name(output.stream));
  object["message"] = json_text(output.line);
  return object;
}

std::string log_line(Format format, const Entry& entry) {
  if (format == Format::Json) return serialized(as_json(entry));
  const pool::EventType& type = pool::type_of(entry.event.kind);
  std::string line = text_head(entry.at, level_of(entry.event)) + std::string(type.name);
  if (!entry.event.pool.empty()) line += " pool=" + escaped(entry.event.pool);
  if (const auto& worker = entry.event.worker) {
    line += worker_words(worker->slot, worker->generation, worker->pid);
  }
  return line + ": " + escaped(entry.event.sentence);
}

std::string log_line(Format format, const OutputLine& output) {
  if (format == Format::Json) return serialized(as_json(output));
  return text_head(output.at, pool::Level::Info) + "worker.output pool=" + escaped(output.pool) +
         worker_words(output.slot, output.generation, output.pid) + " " +
         std::string(name(output.stream)) + ": " + escaped(output.line);
}

std::string log_line(Format format, WallTime at, pool::Level level, std::string_view message) {
  if (format == Format::Text) return text_head(at, level) + escaped(message);
  json::object object = head(at, level);
  object["message"] = json_text(message);
  return serialized(object);
}

}  // namespace poolwarden::journal
