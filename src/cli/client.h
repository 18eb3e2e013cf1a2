// What the commands have in common that speak to a running supervisor.

#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cli/command_line.h"

namespace poolwarden::cli {

// Adds --control and says where the socket is: --control, else $POOLWARDEN_CONTROL, else what the
// configuration file here or in /etc says, else the default.
void add_control_option(CommandLine& line);
std::string control_path(const cxxopts::ParseResult& options);

// Adds FILE. The socket is then, before the default, what FILE says.
void add_file_argument(CommandLine& line);
// As it is for the supervisor: absolute; empty when there is none.
std::string file_argument(const cxxopts::ParseResult& options);

// Adds --wait and --timeout, and puts them into a request.
void add_wait_options(CommandLine& line, const std::string& until);
Result<void> put_patience(const cxxopts::ParseResult& options, boost::json::object& request);
// A line that came before the last: progress to standard output, what is wrong with a file to
// standard error.
void print_line(const boost::json::object& line);

// Sends the request, hands lines before the last to `on_line`, prints the final message, and tells
// the exit code. `on_data` gets the data of a successful answer. `within`: how long all of it
// may take; absent: as long as it takes.
int order(const std::string& path, const boost::json::object& request,
          const std::function<void(const boost::json::object&)>& on_line,
          const std::function<void(const boost::json::object&)>& on_data = {},
          std::optional<Duration> within = std::nullopt);

}  // namespace poolwarden::cli
