// Where the control socket is when nobody names its path: the supervisor and the commands have to
// find the same place, also in a container whose root file system is read-only.

#pragma once

#include <cxxopts.hpp>
#include <string>

namespace poolwarden::cli {

// $POOLWARDEN_CONTROL; empty when it is not set.
std::string control_from_environment();

// For the supervisor: the first place of this user that can be written to. When there is none, the
// first of all: making the socket there says what is wrong.
std::string place_for_control();

// For the supervisor: --control, else $POOLWARDEN_CONTROL, else what the file says, else `place`.
std::string control_to_open(const cxxopts::ParseResult& options, const std::string& from_file,
                            const std::string& place);

// For commands: the first place in which a supervisor of this user's listens, else the first with a
// socket that this user may connect to, else the first of all. In a folder that everybody may write
// to, only a socket of this user's own counts.
std::string find_control();

}  // namespace poolwarden::cli
