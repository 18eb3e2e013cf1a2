// `explain`: what an exit code, a signal or a code of Windows means, without a supervisor.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <iostream>

#include "base/units.h"
#include "base/wrap.h"
#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "diagnosis/exit_status.h"
#include "diagnosis/status_rows.h"
#include "diagnosis/status_table.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;
using diagnosis::Explanation;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kBullet = 4;

struct Explained {
  std::string code;  // as it was given
  std::vector<Explanation> meanings;
};

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const auto& row : diagnosis::signal_rows())
    names.push_back(diagnosis::signal_name(row.number));
  for (const auto& row : diagnosis::exit_code_rows())
    if (!row.name.empty()) names.emplace_back(row.name);
  for (const auto& row : diagnosis::windows_rows())
    if (!row.name.empty()) names.emplace_back(row.name);
  return names;
}

int unknown(const std::string& code) {
  std::cerr << "poolwarden explain: \"" << code
            << "\" is no exit code (0 to 255), no signal and no "
            << "code of Windows that is known";
  std::string upper = code;
  for (char& letter : upper)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  if (const auto near = nearest(upper, known_names()))
    std::cerr << "; did you mean " << *near << "?";
  std::cerr << "\n";
  return kWrongUsage;
}

void append_line(std::string& page, const std::string& text, const std::string& label = "") {
  if (text.empty()) return;
  page.append(kIndent, ' ');
  append_wrapped(page, label + text, kIndent, kIndent);
}

std::string page_of(const Explanation& told) {
  std::string page = told.title + "\n";
  append_line(page, told.meaning);
  append_line(page, told.linux_analogue, "On Linux: ");
  if (!told.causes.empty()) append_line(page, "Usual causes:");
  for (const std::string& cause : told.causes) {
    page.append(kIndent, ' ').append("- ");
    append_wrapped(page, cause, kBullet, kBullet);
  }
  append_line(page, told.next_step, "Next step: ");
  append_line(page, told.diagnosis, "Diagnosis: ");
  return page;
}

std::string page_of(const Explained& explained) {
  const std::vector<Explanation>& meanings = explained.meanings;
  std::string page;
  if (meanings.size() > 1)
    page = explained.code + " has " + std::to_string(meanings.size()) +
           " meanings, the likeliest " + "first.\n\n";
  for (const Explanation& told : meanings) {
    if (&told != &meanings.front()) page += "\n";
    page += page_of(told);
  }
  return page;
}

json::object as_json(const Explanation& told) {
  json::array causes;
  for (const std::string& cause : told.causes) causes.emplace_back(cause);
  return {{"title", told.title},
          {"meaning", told.meaning},
          {"causes", std::move(causes)},
          {"next_step", told.next_step},
          {"linux_analogue", told.linux_analogue},
          {"diagnosis", told.diagnosis}};
}

json::array as_json(const std::vector<Explained>& all) {
  json::array codes;
  for (const Explained& explained : all) {
    json::array meanings;
    for (const Explanation& told : explained.meanings) meanings.push_back(as_json(told));
    codes.push_back(json::object{{"code", explained.code}, {"meanings", std::move(meanings)}});
  }
  return codes;
}

void print(const std::vector<Explained>& all) {
  for (const Explained& explained : all)
    std::cout << (&explained == &all.front() ? "" : "\n") << page_of(explained);
}

// A code such as "-11" would be an option.
std::vector<std::string> with_codes_behind(const std::vector<std::string>& words,
                                           std::vector<std::string>& codes) {
  std::vector<std::string> options;
  for (const std::string& word : words) {
    const bool is_option = word.starts_with("--") || word == "-h";
    (is_option ? options : codes).push_back(word);
  }
  return options;
}

}  // namespace

int explain_entry(const Words& words) {
  CommandLine line("explain", "CODE... [--json]",
                   "Explains exit codes (139, 0x80), signals (SIGSEGV, 11), what languages make of "
                   "them (-11), and codes of Windows (0xc0000005, STATUS_ACCESS_VIOLATION), each "
                   "with its usual causes and a next step.");
  line.options()("json", "an array of {code, meanings: [...]}");
  std::vector<std::string> codes;
  auto parsed = line.parse(with_codes_behind(words.before, codes));
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  if (words.after_dashes)
    codes.insert(codes.end(), words.after_dashes->begin(), words.after_dashes->end());
  if (codes.empty()) return line.wrong("name at least one code, such as 139 or SIGSEGV");
  std::vector<Explained> all;
  for (const std::string& code : codes) {
    all.push_back({code, diagnosis::explain(code)});
    if (all.back().meanings.empty()) return unknown(code);
  }
  if (std::get<cxxopts::ParseResult>(parsed).count("json") != 0) {
    std::cout << json::serialize(as_json(all)) << "\n";
  } else {
    print(all);
  }
  return kDone;
}

}  // namespace poolwarden::cli
