// What a debugger, tracer or the loader has left behind, read for what it says of a worker's end.

#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace poolwarden::cli {

// As text for people. `debug`: tool, folder, program and address, as the order tells them. `ended`:
// whether the worker has; else it may still be writing.
std::string debug_report(const boost::json::object& debug, bool ended);

}  // namespace poolwarden::cli
