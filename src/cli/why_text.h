// What `why` shows to people: the lives of workers as a table, certificates below it, each with all
// that is known, on a terminal of 80 columns.

#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace poolwarden::cli {

// `answer`: of the order `why`. Control characters that workers wrote are harmless.
std::string why_text(const boost::json::object& answer);

}  // namespace poolwarden::cli
