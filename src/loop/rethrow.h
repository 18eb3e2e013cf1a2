// Completion handler for coroutines that run for the program's life. An exception that escapes one
// leaves io_context::run() and ends the program; asio::detached would swallow it.

#pragma once

#include <exception>

namespace poolwarden::loop {

inline void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace poolwarden::loop
