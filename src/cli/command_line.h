// One command's part of the command line: options by cxxopts, errors and --help told the same way
// everywhere.

#pragma once

#include <cstdint>
#include <cxxopts.hpp>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace poolwarden::cli {

// What follows the program's name, and what stood behind `--`.
struct Words {
  std::vector<std::string> before;
  std::optional<std::vector<std::string>> after_dashes;
};
Words split_words(int argc, char** argv);

struct NumberRange {
  std::uint32_t least = 0;
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
};

// The number that an option was given; the error names the option, and the range if it has an end.
Result<std::uint32_t> number_option(const cxxopts::ParseResult& options, const std::string& option,
                                    const NumberRange& range = {});

class CommandLine {
 public:
  // `synopsis` as in "recycle POOL [--worker N] [--wait]".
  CommandLine(const std::string& command, const std::string& synopsis,
              const std::string& description);

  cxxopts::OptionAdder options() { return options_.add_options(); }
  // Names the positional words, each an option of its own.
  void positional(const std::vector<std::string>& names);

  // The parsed options; or, after it has written help or an error, the exit code.
  std::variant<cxxopts::ParseResult, int> parse(const std::vector<std::string>& words);

  // Says what is wrong with the usage; the exit code for it.
  int wrong(const std::string& message) const;

 private:
  std::string command_;
  cxxopts::Options options_;
};

}  // namespace poolwarden::cli
