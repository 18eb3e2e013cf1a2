// How events, worker output and plain messages look as one line of text or of JSON.

#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "journal/entry.h"

namespace poolwarden::journal {

enum class Format { Text, Json };

std::string format_time(WallTime time);  // "2026-11-22T10:11:12.123Z"

// What the API and `events --json` show of an event; all text is valid UTF-8.
boost::json::object as_json(const Entry& entry);
boost::json::object as_json(const OutputLine& output);

// One line each, without a newline at its end.
std::string log_line(Format format, const Entry& entry);
std::string log_line(Format format, const OutputLine& output);
std::string log_line(Format format, WallTime at, pool::Level level, std::string_view message);

}  // namespace poolwarden::journal
