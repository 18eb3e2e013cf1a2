// Kubernetes' termination message: the file that a container leaves its last words in.

#pragma once

#include <string>

namespace poolwarden::cli {

// Written only where the file exists, so that a machine without Kubernetes gets no such file.
void write_termination_log(const std::string& text);

}  // namespace poolwarden::cli
