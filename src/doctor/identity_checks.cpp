#include "doctor/identity_checks.h"

#include <unistd.h>

namespace poolwarden::doctor {
namespace {

constexpr const char* kSubject = "identity";

// "what: in Docker, …", or "cannot run as user 'app': only root may; start poolwarden as root …".
Check refused(const std::string& sentence, const Host& host) {
  const TakenApart told = take_apart(sentence, host);
  if (!told.cure.empty()) return problem(kSubject, told.what, "", told.cure);
  return problem(kSubject, sentence.substr(0, sentence.find("; ")), "",
                 cure({"--user 0", "runAsUser: 0", "User=root", "start poolwarden as root"}, host) +
                     ", or leave identity.user and identity.groups out");
}

std::string listed(const std::vector<gid_t>& groups) {
  std::string text;
  for (const gid_t group : groups) text += (text.empty() ? "" : ", ") + std::to_string(group);
  return text;
}

}  // namespace

std::string describe(const process::Account& account) {
  const process::Credentials& who = account.credentials;
  const std::string numbers = std::to_string(who.uid) + ":" + std::to_string(who.gid);
  return account.name.empty() ? numbers : account.name + " (" + numbers + ")";
}

IdentityFound check_identity(const worker::Identity& identity, const std::string& refusal,
                             const Host& host) {
  auto looked_up = process::look_up_account(identity);
  if (!looked_up)
    return {{problem(kSubject, looked_up.error().message, "",
                     "create it where poolwarden runs (useradd, groupadd), or give its number")},
            std::nullopt};
  if (!refusal.empty()) return {{refused(refusal, host)}, std::nullopt};
  auto account = process::find_account(identity);
  if (!account) return {{refused(account.error().message, host)}, std::nullopt};
  std::string found = describe(*account);
  if (!identity.user) found += ", as poolwarden itself";
  if (!account->credentials.groups.empty())
    found += ", groups " + listed(account->credentials.groups);
  Checks checks = {ok(kSubject, found)};
  if (identity.capabilities) {
    if (const auto set = process::capability_set(*identity.capabilities); !set)
      checks.push_back(problem("capabilities", set.error().message, "", "correct its name"));
  }
  return {std::move(checks), std::move(*account)};
}

}  // namespace poolwarden::doctor
