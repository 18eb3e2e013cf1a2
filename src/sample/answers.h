// Which path is answered how. The misbehaviours are apart, in misbehaviours.h.

#pragma once

#include "sample/exchange.h"
#include "sample/sample_state.h"

namespace poolwarden::sample {

Task<void> answer(Exchange& exchange, SampleState& state);

}  // namespace poolwarden::sample
