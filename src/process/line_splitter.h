// A stream of bytes into lines of bounded length.

#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace poolwarden::process {

class LineSplitter {
 public:
  static constexpr std::size_t kLongest = 8192;

  using Emit = std::function<void(std::string line)>;

  // The rest of a line beyond kLongest is left out, and the line says so.
  void feed(std::string_view bytes, const Emit& emit);

  // What has come of a last line without its end.
  void finish(const Emit& emit);

 private:
  void append(std::string_view part, const Emit& emit);

  std::string line_;
  bool cut_ = false;  // emitted already; the rest up to the line's end is skipped
};

}  // namespace poolwarden::process
