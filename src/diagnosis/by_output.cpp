// What the clues of the output, and what was found of libraries and ports beside it, mean for an
// end: in words and with a next step.

#include <algorithm>

#include "diagnosis/clue_text.h"
#include "diagnosis/inquest.h"

namespace poolwarden::diagnosis {
namespace {

std::string file_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The finding about this library; else the first about any.
const LoaderFinding* finding_of(const Inquest& inquest, const std::string& library) {
  const auto& all = inquest.evidence.loader;
  const auto found = std::find_if(all.begin(), all.end(), [&](const LoaderFinding& it) {
    return !it.needed.empty() && file_of(it.needed) == file_of(library);
  });
  if (found != all.end()) return &*found;
  return library.empty() && !all.empty() ? &all.front() : nullptr;
}

std::string needs_it(const std::string& object) {
  return object.empty() ? "" : ", which " + object + " needs";
}

constexpr const char* kLoaderTool = " `poolwarden debug POOL --with loader` shows the search.";

Reading wrong_architecture(const LoaderFinding& finding) {
  const std::string whose = finding.object.empty() ? "it" : finding.object;
  const std::string what =
      finding.needed.empty() ? "" : " as the " + finding.needed + " that " + whose + " needs";
  return {
      Detail::WrongArchitecture,
      "because its loader found " + finding.found + what + ", but that is for " + finding.machine,
      "Install " + (finding.needed.empty() ? "it" : finding.needed) +
          " for this machine's architecture."};
}

Reading missing_library(const std::string& library, const std::string& object) {
  return {Detail::MissingLibrary, "because its loader found no " + library + needs_it(object),
          "Install the package that brings " + file_of(library) +
              ", or set LD_LIBRARY_PATH in the pool's environment." + kLoaderTool};
}

Reading missing_version(const OutputClue& clue) {
  const bool is_libc = clue.subject.starts_with("GLIBC");
  return {Detail::MissingSymbol,
          "because " + clue.object + " has no version " + clue.subject + ", which it was built for",
          is_libc ? "It was built on a newer system: build it on one as old as this, or run it in "
                    "an image with that C library."
                  : "Install the version of " + file_of(clue.object) + " that it was built for."};
}

Reading missing_symbol(const OutputClue& clue) {
  return {Detail::MissingSymbol, "because " + clue.object + " has no symbol " + clue.subject,
          "The libraries do not fit together: install the versions that it was built for." +
              std::string(kLoaderTool)};
}

Reading of_module(const Inquest& inquest, const OutputClue& clue) {
  if (const LoaderFinding* foreign = foreign_file(inquest.evidence)) {
    return {Detail::WrongArchitecture,
            "because it could not load " + foreign->found + ", which is for " + foreign->machine,
            "Install " + file_of(foreign->found) + " for this machine's architecture."};
  }
  const bool is_library = mentions(clue.subject, ".so");
  return {is_library ? Detail::MissingLibrary : Detail::MissingModule,
          "because it could not load " + clue.subject,
          "Install " + clue.subject + " where it looks, with all that it needs itself."};
}

std::string exception_of(const OutputClue* clue) { return clue ? clue->subject : ""; }

// It had its effect shortly before the end: by the counter, or by what it wrote.
bool met_pids_limit(const Inquest& inquest) {
  const Evidence& evidence = inquest.evidence;
  if (evidence.pids_limit_hits == 0) return false;
  return evidence.recent_pids_limit_hits > 0 || inquest.clue(ClueKind::RefusedFork);
}

Reading of_pids_limit(const Inquest& inquest) {
  const std::string exception = exception_of(inquest.clue(ClueKind::UncaughtException));
  const std::uint64_t hits = inquest.evidence.pids_limit_hits;
  return {Detail::PidsLimit,
          "after limits.pids had refused it " + std::to_string(hits) +
              (hits == 1 ? " new process or thread" : " new processes or threads") +
              (exception.empty() ? "" : "; the last exception: " + exception),
          "Raise limits.pids, or find what forks or starts threads without end."};
}

constexpr const char* kReadException = "Find in its output where the exception came from.";

Reading of_memory(const OutputClue& clue) {
  return {Detail::OutOfMemoryInside, "because it got no more memory: " + clue.subject,
          "Raise limits.memory or the runtime's own limit (-Xmx, --max-old-space-size, "
          "memory_limit), or find the leak."};
}

}  // namespace

Reading read_loader(const Inquest& inquest) {
  if (const OutputClue* clue = inquest.clue(ClueKind::MissingVersion))
    return missing_version(*clue);
  if (const OutputClue* clue = inquest.clue(ClueKind::MissingSymbol)) return missing_symbol(*clue);
  if (const OutputClue* clue = inquest.clue(ClueKind::DamagedLibrary)) {
    return {Detail::MissingLibrary,
            "because " + clue->subject + " is damaged" + needs_it(clue->object),
            "Install " + file_of(clue->subject) + " again."};
  }
  const OutputClue* unfit = inquest.clue(ClueKind::UnfitLibrary);
  const OutputClue* missing = inquest.clue(ClueKind::MissingLibrary);
  const OutputClue* clue = unfit ? unfit : missing;
  const LoaderFinding* finding = finding_of(inquest, clue ? clue->subject : "");
  if (finding && !finding->found.empty()) return wrong_architecture(*finding);
  if (unfit) {
    return {Detail::WrongArchitecture,
            "because " + unfit->subject + " is of another architecture" + needs_it(unfit->object),
            "Install " + file_of(unfit->subject) + " for this machine's architecture."};
  }
  if (missing) return missing_library(missing->subject, missing->object);
  if (finding) return missing_library(finding->needed, finding->object);
  return {};
}

Reading read_port(const Inquest& inquest) {
  const OutputClue* clue = inquest.clue(ClueKind::PortInUse);
  const auto& holder = inquest.evidence.port_holder;
  if (!clue) return {};  // that somebody else listens there proves nothing by itself
  std::string where = clue->subject.empty() ? "its address" : clue->subject;
  if (holder && clue->subject.empty())  // 0: a socket in the file system
    where = holder->port == 0 ? "its socket" : "port " + std::to_string(holder->port);
  std::string words = "because " + where + " was in use";
  std::string next =
      "Let the worker listen where it is told: $POOLWARDEN_SOCKET, $HOST and $PORT, or descriptor "
      "3.";
  if (holder && holder->pid != 0) {
    const std::string who = "process " + std::to_string(holder->pid) +
                            (holder->name.empty() ? "" : " (" + holder->name + ")");
    words += " by " + who;
    next += " Or end " + who + ".";
  }
  return {Detail::None, words, next};
}

Reading read_failure(const Inquest& inquest) {
  if (const OutputClue* clue = inquest.clue(ClueKind::MissingModule))
    return of_module(inquest, *clue);
  if (const OutputClue* clue = inquest.clue(ClueKind::UnknownUser)) {
    return {Detail::UnknownUser, "because a user does not exist: " + clue->subject,
            "Make the user in the image, or name one that exists."};
  }
  if (const OutputClue* clue = inquest.clue(ClueKind::IdentityRefused)) {
    return {Detail::IdentityRefused, "because it may not change its user: " + clue->subject,
            "Let poolwarden change it (identity.user) and take the change out of the worker's own "
            "configuration; else it needs the capabilities setuid and setgid."};
  }
  if (const OutputClue* clue = inquest.clue(ClueKind::OutOfMemory)) return of_memory(*clue);
  if (const OutputClue* clue = inquest.clue(ClueKind::BrokenOutput)) {
    if (mentions(clue->subject, "Bad file descriptor"))
      return {
          Detail::BrokenOutput, "because its output was closed: " + clue->subject,
          "Find what closes its stdout or stderr: poolwarden starts it with both of them open."};
    return {Detail::BrokenOutput, "because nobody read what it wrote: " + clue->subject,
            "Look for who closed the other end of its output."};
  }
  const std::string exception = exception_of(inquest.clue(ClueKind::UncaughtException));
  if (exception.starts_with("BrokenPipeError"))
    return {Detail::BrokenOutput,
            "because the other end of a pipe or connection was closed: " + exception,
            "Look for who closed the other end, and let it handle that."};
  if (met_pids_limit(inquest)) return of_pids_limit(inquest);
  if (exception.empty()) return {};
  return {Detail::UncaughtException, "after an uncaught exception: " + exception, kReadException};
}

Reading read_abort(const Inquest& inquest) {
  if (const OutputClue* clue = inquest.clue(ClueKind::SmashedStack))
    return {Detail::SmashedStack, "because it wrote beyond a buffer on its stack: " + clue->subject,
            "Build it with -fsanitize=address and run it so: it names the place."};
  if (const OutputClue* clue = inquest.clue(ClueKind::DamagedHeap))
    return {Detail::DamagedHeap, "because its heap was damaged: " + clue->subject,
            "Run it under AddressSanitizer or valgrind: the fault lies before the place where it "
            "was noticed."};
  if (const OutputClue* clue = inquest.clue(ClueKind::Assertion))
    return {Detail::Assertion, "because an assertion failed: " + clue->subject,
            "See what the assertion expects; limits.core adds the stack."};
  if (const OutputClue* clue = inquest.clue(ClueKind::OutOfMemory)) return of_memory(*clue);
  if (met_pids_limit(inquest)) return of_pids_limit(inquest);
  const std::string exception = exception_of(inquest.clue(ClueKind::UncaughtException));
  if (exception.empty()) return {};
  return {Detail::UncaughtException, "after an uncaught exception: " + exception,
          std::string(kReadException) + " limits.core adds the stack."};
}

}  // namespace poolwarden::diagnosis
