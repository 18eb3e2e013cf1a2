// Blocks all signals while it lives, so that a thread started meanwhile never gets one: signals are
// the main thread's. And no handler runs in a process that is forked meanwhile.

#pragma once

#include <signal.h>

namespace poolwarden::loop {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_ = {};
};

}  // namespace poolwarden::loop
