// Formats that know nothing of pools: numbers, words, texts, durations, sizes.

#pragma once

#include <cstdint>

#include "config/format.h"

namespace poolwarden::config {

Format<bool> boolean();
// `besides`: what else is right, for messages: ", or 0 for no limit".
Format<std::uint32_t> whole(std::uint32_t least, std::uint32_t most,
                            const std::string& besides = "");
Format<std::optional<std::uint32_t>> count_limit();  // 0 and infinite: no limit
Format<std::optional<std::uint64_t>> large_count_limit();
Format<std::optional<Duration>> time_limit();  // 0 and infinite: no limit
Format<Duration> time_span();                  // more than 0
Format<std::optional<Size>> size_limit();      // a percentage is at most 100
Format<std::optional<Percent>> cpu_limit();
Format<std::uint32_t> share();                                  // 0 % to 100 %
Format<std::optional<std::uint32_t>> share_or_off();            // 1 % to 100 %; 0: off
Format<std::string> absolute_path(const std::string& example);  // or one that begins with ${NAME}
Format<std::string> plain_path(const std::string& example);     // absolute; nothing is expanded

// A text of one line that is not empty; `what` as in "a user name such as www-data".
Format<std::string> word(const std::string& kind, const std::string& what);

template <typename E>
struct Choice {
  const char* name;
  E value;
};

// The words that a key takes, and the error that names them.
boost::json::object choice_schema(const std::vector<std::string>& names);
Error no_such_choice(const std::vector<std::string>& names, const std::string& text);

template <typename E>
Format<E> choice(std::initializer_list<Choice<E>> list) {
  const std::vector<Choice<E>> choices = list;
  std::vector<std::string> names;
  for (const Choice<E>& known : choices) names.emplace_back(known.name);
  return scalar_format<E>(
      one_of(names), choice_schema(names), one_of(names),
      [choices, names](const std::string& text) -> Result<E> {
        for (const Choice<E>& known : choices) {
          if (text == known.name) return known.value;
        }
        return no_such_choice(names, text);
      },
      [choices](const E& value) {
        std::string name;
        for (const Choice<E>& known : choices) {
          if (known.value == value) name = known.name;
        }
        return name;
      });
}

}  // namespace poolwarden::config
