#include "cli/lost_privileges.h"

#include <linux/capability.h>

#include "process/credentials.h"

namespace poolwarden::cli {
namespace {

constexpr int kHighestOomScore = 1000;

std::string list_of(const std::vector<std::string>& words, const std::string& before,
                    const std::string& between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text.append(before).append(word);
  }
  return text;
}

std::string cure(std::uint64_t lacking) {
  const auto names = process::capability_names(lacking);
  return "in Docker, start the container with " + list_of(names, "--cap-add ", " ") +
         "; in Kubernetes, with capabilities: {add: [" + list_of(names, "", ", ") +
         "]}; under systemd, with CapabilityBoundingSet=" + list_of(names, "CAP_", " ");
}

// The user of a pool, if it is another than ours. Who does not exist is for the pool to find out.
std::optional<process::Account> other_user(const pool::PoolSettings& pool,
                                           const process::Privileges& ours) {
  const worker::Identity& identity = pool.worker.identity;
  if (!identity.user && identity.groups.empty()) return std::nullopt;
  auto account = process::look_up_account(identity);
  const bool is_other =
      account && (account->credentials.uid != ours.uid || !identity.groups.empty());
  return is_other ? std::optional(*account) : std::nullopt;
}

Result<void> check_identity(const pool::PoolSettings& pool, const process::Privileges& ours) {
  if (!ours.is_root()) {
    if (!other_user(pool, ours)) return {};
    if (auto found = process::find_account(pool.worker.identity); !found) return found.error();
    return {};
  }
  const auto account = process::find_account(pool.worker.identity);
  if (!account || !account->changes) return {};  // what does not exist is for the pool to find out
  const std::uint64_t lacking = ours.lacks(process::capabilities_to_look_after_others());
  if (lacking == 0) return {};
  return failure("cannot run as another user (identity) without CAP_" +
                 list_of(process::capability_names(lacking), "", ", CAP_") + ": " + cure(lacking) +
                 "; or leave identity.user and identity.groups out");
}

Result<void> check_capabilities(const pool::PoolSettings& pool, const process::Privileges& ours) {
  if (!pool.worker.identity.capabilities) return {};
  const auto wanted = process::capability_set(*pool.worker.identity.capabilities);
  if (!wanted) return {};  // the pool says so
  const std::uint64_t lacking = ours.lacks(*wanted);
  if (lacking == 0) return {};
  return failure("cannot give identity.capabilities that poolwarden itself does not have: " +
                 cure(lacking));
}

std::string same_user(const process::Privileges& ours) {
  return "runs as user " + std::to_string(ours.uid) +
         ", not as root: the workers of all pools and the gateway are that user too, and nothing "
         "keeps one from signalling or reading the others; in Docker, start the container with "
         "--user 0 and give each pool an identity.user; in Kubernetes, with runAsUser: 0 and an "
         "identity.user in each pool; elsewhere, start poolwarden as root and give each pool an "
         "identity.user";
}

std::string gateway_as_root(const config::Settings& settings, const process::Privileges& ours) {
  const std::uint64_t lacking = ours.lacks(process::capabilities_to_run_others());
  return "cannot run the gateway as " + settings.gateway.user +
         ": it runs as root, without capabilities; " + cure(lacking);
}

std::string above_hard_limit(const std::string& limit, const std::string& wanted,
                             const std::string& hard, const std::string& docker,
                             const std::string& systemd) {
  return "cannot set limits." + limit + " to " + wanted + ": the hard limit is " + hard +
         "; in Docker, start the container with --ulimit " + docker + "; under systemd, with " +
         systemd;
}

// Of setrlimit(2): one may lower them, but not raise them again.
void find_hard_limits(const pool::PoolSettings& pool, const process::Privileges& ours,
                      std::vector<std::string>& lost) {
  const worker::Limits& limits = pool.worker.limits;
  const std::uint64_t files = limits.open_files.value_or(0);
  const std::string number = std::to_string(files);
  if (files > ours.open_files)
    lost.push_back(above_hard_limit("open_files of pool " + pool.name, number,
                                    std::to_string(ours.open_files), "nofile=" + number,
                                    "LimitNOFILE=" + number));
  const Bytes* core = limits.core ? std::get_if<Bytes>(&*limits.core) : nullptr;
  if (core && core->count > ours.core)
    lost.push_back(
        above_hard_limit("core of pool " + pool.name,
                         *core == worker::kUnlimitedCore ? "infinite" : format_bytes(core->count),
                         format_bytes(ours.core), "core=-1", "LimitCORE=infinity"));
}

bool has_workers_of_others(const config::Settings& settings, const process::Privileges& ours) {
  for (const pool::PoolSettings& pool : settings.pools)
    if (other_user(pool, ours)) return true;
  return false;
}

}  // namespace

Result<void> check_privileges(const config::Settings& settings, const process::Privileges& ours) {
  for (const pool::PoolSettings& pool : settings.pools) {
    for (const auto& check : {check_identity, check_capabilities}) {
      if (const auto allowed = check(pool, ours); !allowed)
        return allowed.error().because("pool " + pool.name);
    }
  }
  return {};
}

std::vector<std::string> lost_privileges(const config::Settings& settings,
                                         const process::Privileges& ours) {
  std::vector<std::string> lost;
  if (!ours.is_root()) lost.push_back(same_user(ours));
  if (ours.is_root() && settings.speaks_http() && !process::may_run_others(ours))
    lost.push_back(gateway_as_root(settings, ours));
  const std::uint64_t looking = std::uint64_t{1} << CAP_SYS_PTRACE;
  if (ours.lacks(looking) != 0 && has_workers_of_others(settings, ours))
    lost.push_back(
        "cannot look into workers of other users: processes that they have left behind are found "
        "by their cgroup only, their open files are not counted, and drills by ptrace are "
        "refused; " +
        cure(looking));
  if (ours.oom_score_adj >= kHighestOomScore)
    lost.push_back(
        "cannot make workers likelier victims of the OOM killer than poolwarden: oom_score_adj is "
        "1000 already; in Kubernetes set requests and limits of memory (BestEffort pods have "
        "1000)");
  const std::uint64_t raising = std::uint64_t{1} << CAP_SYS_RESOURCE;
  if (ours.lacks(raising) != 0)
    for (const pool::PoolSettings& pool : settings.pools) find_hard_limits(pool, ours, lost);
  return lost;
}

}  // namespace poolwarden::cli
