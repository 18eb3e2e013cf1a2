#include "cli/command_line.h"

#include <charconv>
#include <iostream>

#include "cli/commands.h"

namespace poolwarden::cli {

Words split_words(int argc, char** argv) {
  Words words;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    if (words.after_dashes) {
      words.after_dashes->push_back(word);
    } else if (word == "--") {
      words.after_dashes.emplace();
    } else {
      words.before.push_back(word);
    }
  }
  return words;
}

// Not by cxxopts: g++ 12 sees an overflow in its integers that is not there.
Result<std::uint32_t> number_option(const cxxopts::ParseResult& options, const std::string& option,
                                    const NumberRange& range) {
  const std::string text = options[option].as<std::string>();
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const bool is_within = number >= range.least && number <= range.most;
  if (error == std::errc{} && stopped == end && is_within) return number;
  const std::string least = std::to_string(range.least);
  const std::string wanted = range.most == NumberRange{}.most
                                 ? "such as " + least
                                 : "from " + least + " to " + std::to_string(range.most);
  return failure("--" + option + ": expected a number " + wanted + ", got \"" + text + "\"");
}

CommandLine::CommandLine(const std::string& command, const std::string& synopsis,
                         const std::string& description)
    : command_(command), options_("poolwarden " + command, description) {
  options_.custom_help(synopsis);
  options_.set_width(100);
  options_.add_options()("h,help", "this text");
}

void CommandLine::positional(const std::vector<std::string>& names) {
  options_.parse_positional(names);
  options_.positional_help("");
}

std::variant<cxxopts::ParseResult, int> CommandLine::parse(const std::vector<std::string>& words) {
  std::vector<const char*> arguments = {"poolwarden"};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  try {
    cxxopts::ParseResult parsed =
        options_.parse(static_cast<int>(arguments.size()), arguments.data());
    if (parsed.count("help") != 0) {
      std::cout << options_.help();
      return kDone;
    }
    if (!parsed.unmatched().empty())
      return wrong("\"" + parsed.unmatched().front() + "\" is one word too many");
    return parsed;
  } catch (const cxxopts::exceptions::exception& error) {
    return wrong(error.what());
  }
}

int CommandLine::wrong(const std::string& message) const {
  std::cerr << "poolwarden " << command_ << ": " << message << "\nTry: poolwarden " << command_
            << " --help\n";
  return kWrongUsage;
}

}  // namespace poolwarden::cli
