// What real applications do at their worst, on request.

#pragma once

#include "sample/exchange.h"
#include "sample/sample_state.h"

namespace poolwarden::sample {

// ?signal=SEGV|ABRT|BUS|FPE|ILL: by doing what earns that signal. No answer.
Task<void> crash(Exchange& exchange, SampleState& state);

// ?code=N: exits without an answer.
Task<void> leave(Exchange& exchange, SampleState& state);

// Never answers; with ?all=1 nobody is answered any more.
Task<void> hang(Exchange& exchange, SampleState& state);

// ?bytes=64MiB: takes memory, writes to all of it, and keeps it.
Task<void> leak(Exchange& exchange, SampleState& state);

// ?bytes=1GiB: address space only; nothing is written to it.
Task<void> reserve(Exchange& exchange, SampleState& state);

// Tells the supervisor that it is unhealthy, with ?reason=…; serves on.
Task<void> report_unhealthy(Exchange& exchange, SampleState& state);

// /healthz answers 500 from here on; everything else is answered as before.
Task<void> sicken(Exchange& exchange, SampleState& state);

// ?lines=N to standard output and as many to standard error.
Task<void> flood(Exchange& exchange, SampleState& state);

// ?count=N processes that sleep for ever, every second one in a session of its own.
Task<void> fork_descendants(Exchange& exchange, SampleState& state);

// SIGTERM has no effect from here on.
Task<void> ignore_term(Exchange& exchange, SampleState& state);

}  // namespace poolwarden::sample
