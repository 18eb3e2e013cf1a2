// The built-in sample worker, for `demo` and for the tests: a small HTTP server that says who
// answers, and that crashes, hangs, leaks and floods on request.

#pragma once

namespace poolwarden::sample {

// Serves until SIGTERM on the socket that the environment names. Returns the exit code.
int run_sample_worker();

}  // namespace poolwarden::sample
