// ${NAME} in the texts of a pool's settings.

#pragma once

#include <functional>
#include <string>
#include <vector>

namespace poolwarden::worker {

// `text` with what `value_of` answers in place of each ${NAME}; "$$" is a dollar sign. See
// expand() of worker_settings.h.
std::string replace_names(const std::string& text,
                          const std::function<std::string(const std::string&)>& value_of);

// The names, as often as they stand there.
std::vector<std::string> names_in(const std::string& text);

}  // namespace poolwarden::worker
