// The outcome of an operation that may fail for reasons outside the program.
//
//   Result<Cgroup> made = Cgroup::create(parent, "pool-a");
//   if (!made) return made.error().because("cannot start worker 3");

#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <system_error>

namespace poolwarden {

struct Error {
  std::error_code code;
  std::string message;  // reads after the program's name: "cannot create cgroup pool-a"

  // The same failure, seen from one level up.
  Error because(const std::string& context) const { return {code, context + ": " + message}; }
};

template <typename T>
using Result = boost::system::result<T, Error>;

// An error that no system call reported.
inline Error failure(const std::string& message) {
  return {std::make_error_code(std::errc::invalid_argument), message};
}

// The error of the system call that has just failed with `saved_errno`.
inline Error errno_error(int saved_errno, const std::string& message) {
  std::error_code code(saved_errno, std::system_category());
  return {code, message + ": " + code.message()};
}

// Asked for by boost::system::result when value() is called on an error: a bug of the caller.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::system_error(error.code, error.message);
}

}  // namespace poolwarden
