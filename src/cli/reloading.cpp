#include "cli/reloading.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/lost_privileges.h"

namespace poolwarden::cli {
namespace {

using config::Finding;
using pool::EventKind;

constexpr const char* kNothingChanged = "; nothing was changed";

void fail(ReloadAnswer& answer, int exit_code, const std::string& message) {
  answer.exit_code = exit_code;
  answer.message = message;
}

std::string count_of(std::size_t errors) {
  return std::to_string(errors) + (errors == 1 ? " error" : " errors");
}

// "live change of shutdown.delay, pool web: recycle for command, pool api: added; 2 unchanged"
std::string summary(const config::Comparison& comparison) {
  std::string text;
  if (!comparison.live.empty()) text = supervisor::describe_live(comparison.live);
  std::size_t unchanged = 0;
  for (const config::PoolChange& change : comparison.pools) {
    if (change.change == config::Change::Unchanged) {
      ++unchanged;
      continue;
    }
    text +=
        (text.empty() ? "pool " : ", pool ") + change.pool + ": " + supervisor::describe(change);
  }
  if (text.empty()) return "nothing differs";
  if (unchanged > 0) text += "; " + std::to_string(unchanged) + " unchanged";
  return text;
}

}  // namespace

std::optional<Reloading::Wanted> Reloading::read(const std::string& named,
                                                 ReloadAnswer& answer) const {
  const std::string file = named.empty() ? source_.file : named;
  if (file.empty()) {
    fail(answer, kFailed,
         "there is no configuration file to read again: poolwarden was started without one; name "
         "a file");
    return std::nullopt;
  }
  auto loaded = reload_settings(file);
  if (!loaded) {
    fail(answer, kWrongUsage, loaded.error().message);
    return std::nullopt;
  }
  std::size_t errors = 0;
  for (const Finding& finding : loaded->parsed.findings) {
    if (finding.kind == Finding::Kind::Error) ++errors;
    if (finding.kind != Finding::Kind::NotInEffect)  // that is for `check` to list
      answer.findings.push_back(describe(finding, file));
  }
  if (errors > 0) {
    fail(answer, kWrongUsage, file + " has " + count_of(errors));
    return std::nullopt;
  }
  Wanted wanted{std::move(loaded->parsed.settings), loaded->sha256};
  auto allowed = source_.overrides ? source_.overrides(wanted.settings) : Result<void>();
  if (allowed) allowed = check_privileges(wanted.settings, process::own_privileges());
  if (allowed) return wanted;
  fail(answer, kWrongUsage, allowed.error().message);
  return std::nullopt;
}

ReloadAnswer Reloading::plan(const std::string& file) const {
  ReloadAnswer answer;
  const std::optional<Wanted> wanted = read(file, answer);
  if (!wanted) return answer;
  answer.comparison = supervisor_.plan(wanted->settings);
  if (const auto allowed = supervisor_.may_reload(answer.comparison); !allowed)
    answer.refusal = allowed.error().message;
  return answer;
}

ReloadAnswer Reloading::try_reload(const std::string& file) {
  ReloadAnswer answer;
  const std::optional<Wanted> wanted = read(file, answer);
  if (!wanted) return answer;
  answer.comparison = supervisor_.plan(wanted->settings);
  auto outcomes = supervisor_.reload(wanted->settings);
  if (!outcomes) {
    fail(answer, kFailed, outcomes.error().message);
    return answer;
  }
  answer.outcomes = std::move(*outcomes);
  answer.message = summary(answer.comparison);
  telling_.config().reloaded(wanted->sha256, WallClock::now());
  return answer;
}

ReloadAnswer Reloading::reload(const std::string& file) {
  service_.reload_begins();
  ReloadAnswer answer = try_reload(file);
  const bool well = answer.exit_code == kDone;
  std::string sentence = answer.message;
  if (!well) {
    telling_.config().reload_failed();
    answer.message += kNothingChanged;
    sentence = answer.message;
    const auto first = std::find_if(
        answer.findings.begin(), answer.findings.end(),
        [](const std::string& text) { return text.find(": error: ") != std::string::npos; });
    if (first != answer.findings.end()) sentence += ": " + *first;
  }
  telling_.tell({well ? EventKind::ConfigReloaded : EventKind::ConfigReloadFailed, "", std::nullopt,
                 sentence});
  service_.reload_ends(well ? "" : sentence);
  return answer;
}

void Reloading::reload_on_signal() {
  constexpr std::size_t kMostLines = 20;
  const ReloadAnswer answer = reload("");
  for (std::size_t i = 0; i < std::min(answer.findings.size(), kMostLines); ++i)
    telling_.journal().log(pool::Level::Warning, answer.findings[i]);
}

}  // namespace poolwarden::cli
