// The page that `poolwarden demo` leads to: who answers, and buttons that make it misbehave.

#pragma once

#include <string>
#include <string_view>

#include "sample/sample_state.h"

namespace poolwarden::sample {

// `host` is where the browser found it, for the curl lines.
std::string sample_page(const SampleState& state, std::string_view host);

}  // namespace poolwarden::sample
