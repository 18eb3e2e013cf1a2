// The words of the closed lists: each is its own, and the documentation has all of them and no
// other.

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <set>

#include "diagnosis/diagnosis.h"

namespace poolwarden::diagnosis {
namespace {

template <typename Word>
std::set<std::string> words_up_to(Word last) {
  std::set<std::string> words;
  for (int word = 0; word <= static_cast<int>(last); ++word)
    EXPECT_TRUE(words.emplace(name(static_cast<Word>(word))).second) << word;
  return words;
}

// What stands between the backticks of the first column below that heading.
std::set<std::string> documented(const std::string& heading) {
  std::ifstream page(SOURCE_DIR "/docs/diagnosis.md");
  std::set<std::string> words;
  bool is_there = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) is_there = line == "## " + heading;
    if (!is_there || !line.starts_with("| `")) continue;
    const std::string first = line.substr(0, line.find(" | "));
    const std::regex word("`([a-z0-9_]+)`");
    for (std::sregex_iterator it(first.begin(), first.end(), word), end; it != end; ++it)
      words.insert((*it)[1]);
  }
  words.erase("diagnosis");
  words.erase("detail");
  words.erase("sent_by");
  return words;
}

TEST(Words, OfCausesAreDocumented) {
  EXPECT_EQ(documented("The cause"), words_up_to(Cause::Unknown));
}

TEST(Words, OfDetailsAreDocumented) {
  EXPECT_EQ(documented("The detail"), words_up_to(Detail::Drilled));
}

TEST(Words, OfSendersAreDocumented) {
  EXPECT_EQ(documented("Who ended it"), words_up_to(Sender::Unknown));
}

}  // namespace
}  // namespace poolwarden::diagnosis
