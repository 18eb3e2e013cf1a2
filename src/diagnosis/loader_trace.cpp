#include "diagnosis/loader_trace.h"

#include <algorithm>
#include <set>

namespace poolwarden::diagnosis {
namespace {

constexpr std::size_t kMostSearches = 10000;
constexpr std::size_t kMostErrors = 1000;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? "" : text.substr(begin);
}

// "     12345:\t  trying file=/lib/x" without its number.
std::string_view without_pid(std::string_view line) {
  const auto colon = line.find(':');
  const bool is_numbered =
      colon != std::string_view::npos &&
      line.substr(0, colon).find_first_not_of(" 0123456789") == std::string_view::npos;
  return trimmed(is_numbered ? line.substr(colon + 1) : line);
}

// What follows `key`, up to the namespace's number " [0]" or the end.
std::string value_after(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = line.substr(at + key.size());
  return std::string(rest.substr(0, rest.rfind(" [")));
}

std::string up_to(std::string_view line, std::string_view mark) {
  return std::string(line.substr(0, line.find(mark)));
}

class Reader {
 public:
  void read(std::string_view line) {
    if (line.starts_with("file=")) {
      read_file(line.substr(5));
    } else if (line.starts_with("find library=")) {
      begin(up_to(line.substr(13), " ["));
    } else if (line.starts_with("trying file=")) {
      note_place(std::string(line.substr(12)));
    } else if (line.starts_with("transferring control:")) {
      trace.program_began = true;
    } else if (const auto at = line.find(": error: "); at != std::string_view::npos) {
      note_error(std::string(line.substr(0, at)), line.substr(at + 9));
    }
  }

  LoaderTrace trace;

 private:
  void read_file(std::string_view rest) {
    const std::string library = up_to(rest, " [");
    if (rest.find(";  generating link map") != std::string_view::npos) {
      const auto found =
          std::find_if(trace.searches.rbegin(), trace.searches.rend(),
                       [&](const LibrarySearch& search) { return search.library == library; });
      if (found != trace.searches.rend()) found->is_loaded = true;
      return;
    }
    std::string needed_by = value_after(rest, ";  needed by ");
    if (!needed_by.empty()) note_needy(needed_by);
    if (needed_by.empty()) needed_by = value_after(rest, ";  dynamically loaded by ");
    if (needed_by.empty()) return;
    begin(library);
    if (!trace.searches.empty()) trace.searches.back().needed_by = std::move(needed_by);
  }

  // A process that executes another program writes on into the same file, without a word.
  void note_needy(const std::string& object) {
    const bool is_another = trace.program_began && (object == program_ || !known_.contains(object));
    if (is_another) {
      trace = {};
      known_.clear();
    }
    if (known_.empty()) program_ = object;
    known_.insert(object);
  }

  // The line of who needs it comes first, if at all.
  void begin(const std::string& library) {
    if (!trace.searches.empty() && trace.searches.back().library == library &&
        trace.searches.back().tried.empty() && !trace.searches.back().is_loaded)
      return;
    known_.insert(library);
    if (trace.searches.size() >= kMostSearches) return;
    trace.searches.push_back({library, "", !trace.program_began, {}, false});
  }

  void note_place(std::string place) {
    known_.insert(place);
    if (trace.searches.empty()) return;
    auto& tried = trace.searches.back().tried;
    if (std::find(tried.begin(), tried.end(), place) == tried.end())
      tried.push_back(std::move(place));
  }

  void note_error(std::string object, std::string_view text) {
    constexpr std::string_view kFatal = " (fatal)";
    constexpr std::string_view kContinued = " (continued)";
    const bool is_fatal = text.ends_with(kFatal);
    if (is_fatal) text.remove_suffix(kFatal.size());
    if (text.ends_with(kContinued)) text.remove_suffix(kContinued.size());
    if (trace.errors.size() < kMostErrors)
      trace.errors.push_back({std::move(object), std::string(text), is_fatal});
  }

  std::string program_;                       // that the trace is of
  std::set<std::string, std::less<>> known_;  // it, and the objects that it may have loaded
};

const LibrarySearch* last_missing(const LoaderTrace& trace, bool at_start) {
  const auto found = std::find_if(trace.searches.rbegin(), trace.searches.rend(),
                                  [&](const LibrarySearch& search) {
                                    return !search.is_loaded && search.at_start == at_start;
                                  });
  return found == trace.searches.rend() ? nullptr : &*found;
}

LoaderFailure about(const LibrarySearch& search) {
  return {search.at_start, search.needed_by, search.library, search.tried, ""};
}

}  // namespace

LoaderTrace read_loader_trace(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    reader.read(without_pid(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.trace;
}

std::optional<LoaderFailure> failure_of(const LoaderTrace& trace) {
  const auto fatal = std::find_if(trace.errors.begin(), trace.errors.end(),
                                  [](const LoaderError& error) { return error.is_fatal; });
  if (fatal != trace.errors.end())
    return LoaderFailure{!trace.program_began, fatal->object, "", {}, fatal->text};
  if (!trace.program_began) {
    const LibrarySearch* missing = last_missing(trace, true);
    return missing ? std::optional(about(*missing)) : std::nullopt;
  }
  if (const LibrarySearch* missing = last_missing(trace, false)) return about(*missing);
  if (trace.errors.empty()) return std::nullopt;
  const LoaderError& last = trace.errors.back();
  return LoaderFailure{false, last.object, "", {}, last.text};
}

std::string describe(const LoaderFailure& failure) {
  if (failure.library.empty()) return failure.object + ": " + failure.error;
  std::string text = failure.library;
  if (!failure.object.empty())
    text +=
        ", which " + failure.object + (failure.at_start ? " needs," : " asked for at run time,");
  if (failure.tried.empty()) return text + " was not loaded";
  if (failure.tried.size() == 1) return text + " was not loaded from " + failure.tried.front();
  return text + " was not loaded from any of " + std::to_string(failure.tried.size()) + " places";
}

}  // namespace poolwarden::diagnosis
