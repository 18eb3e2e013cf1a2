#include "process/credentials.h"

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include "base/units.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kLargestEntry = 1 << 20;
constexpr std::uint32_t kNobody = 65534;  // as the kernel names users that it cannot name
constexpr int kMostGroups = 65536;        // NGROUPS_MAX of the kernel

constexpr std::array<const char*, 41> kCapabilities = {"chown",
                                                       "dac_override",
                                                       "dac_read_search",
                                                       "fowner",
                                                       "fsetid",
                                                       "kill",
                                                       "setgid",
                                                       "setuid",
                                                       "setpcap",
                                                       "linux_immutable",
                                                       "net_bind_service",
                                                       "net_broadcast",
                                                       "net_admin",
                                                       "net_raw",
                                                       "ipc_lock",
                                                       "ipc_owner",
                                                       "sys_module",
                                                       "sys_rawio",
                                                       "sys_chroot",
                                                       "sys_ptrace",
                                                       "sys_pacct",
                                                       "sys_admin",
                                                       "sys_boot",
                                                       "sys_nice",
                                                       "sys_resource",
                                                       "sys_time",
                                                       "sys_tty_config",
                                                       "mknod",
                                                       "lease",
                                                       "audit_write",
                                                       "audit_control",
                                                       "setfcap",
                                                       "mac_override",
                                                       "mac_admin",
                                                       "syslog",
                                                       "wake_alarm",
                                                       "block_suspend",
                                                       "audit_read",
                                                       "perfmon",
                                                       "bpf",
                                                       "checkpoint_restore"};

#ifdef POOLWARDEN_STATIC
// What nsswitch.conf names beyond files are modules made for the C library of this machine or
// image; a program that brings its own must not load them. The parts of the C library that read
// /etc/passwd and /etc/group are built in.
const bool kFilesOnly = [] {
  for (const char* database : {"passwd", "group", "initgroups"})
    ::__nss_configure_lookup(database, "files");
  return true;
}();
#endif

std::optional<std::uint32_t> as_number(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || rest != end) return std::nullopt;
  return number;
}

// The …_r functions tell by ERANGE that the buffer is too small.
template <typename Entry, typename Call>
Result<bool> look_up(Entry& entry, std::string& buffer, const std::string& what, Call call) {
  for (buffer.resize(4096); buffer.size() <= kLargestEntry; buffer.resize(buffer.size() * 4)) {
    Entry* found = nullptr;
    const int error = call(&entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE || error == EINTR) continue;
    if (error != 0 && error != ENOENT && error != ESRCH)
      return errno_error(error, "cannot look up " + what);
    return found != nullptr;
  }
  return failure("cannot look up " + what + ": its entry is too long");
}

Result<gid_t> find_group(const std::string& name) {
  if (const auto number = as_number(name)) return *number;
  group entry{};
  std::string buffer;
  auto found = look_up(entry, buffer, "group '" + name + "'",
                       [&](auto... rest) { return ::getgrnam_r(name.c_str(), rest...); });
  if (!found) return found.error();
  if (!*found) return failure("cannot find group '" + name + "': /etc/group has no such entry");
  return entry.gr_gid;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t own) {
  int count = 32;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(user.c_str(), own, groups.data(), &count) < 0 && count <= kMostGroups)
    groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

Account account_of(const passwd& entry) {
  Account account;
  account.credentials = {entry.pw_uid, entry.pw_gid, groups_of(entry.pw_name, entry.pw_gid)};
  account.name = entry.pw_name;
  account.home = entry.pw_dir;
  account.shell = entry.pw_shell;
  return account;
}

Account account_without_entry(std::uint32_t number) {
  Account account;
  account.credentials = {number, number, {number}};
  return account;
}

Result<Account> find_user(const std::string& user) {
  const auto number = as_number(user);
  passwd entry{};
  std::string buffer;
  auto found = look_up(entry, buffer, "user '" + user + "'", [&](auto... rest) {
    return number ? ::getpwuid_r(*number, rest...) : ::getpwnam_r(user.c_str(), rest...);
  });
  if (!found) return found.error();
  if (*found) return account_of(entry);
  // Containers often run as a bare number, and an image may hold nothing but one program.
  if (number) return account_without_entry(*number);
  if (user == "nobody") return account_without_entry(kNobody);
  return failure("cannot find user '" + user + "': /etc/passwd has no such entry");
}

Account ourselves() {
  Account account;
  account.credentials = {::geteuid(), ::getegid(), {}};
  account.credentials.groups.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(account.credentials.groups.size()),
                                account.credentials.groups.data());
  account.credentials.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return account;
}

bool has_groups(const std::vector<gid_t>& all, const std::vector<gid_t>& asked) {
  return std::all_of(asked.begin(), asked.end(), [&](gid_t group) {
    return group == ::getegid() || std::find(all.begin(), all.end(), group) != all.end();
  });
}

// The group itself counts as one of the supplementary ones: it makes no difference among them.
std::set<gid_t> all_groups(const Credentials& who) {
  std::set<gid_t> all(who.groups.begin(), who.groups.end());
  all.insert(who.gid);
  return all;
}

bool are_same(const Credentials& one, const Credentials& other) {
  return one.uid == other.uid && one.gid == other.gid && all_groups(one) == all_groups(other);
}

Result<std::vector<gid_t>> find_groups(const std::vector<std::string>& names) {
  std::vector<gid_t> found;
  for (const std::string& name : names) {
    const auto group = find_group(name);
    if (!group) return group.error();
    found.push_back(*group);
  }
  return found;
}

}  // namespace

Result<Account> look_up_account(const worker::Identity& identity) {
  Result<Account> account = identity.user ? find_user(*identity.user) : ourselves();
  if (!account) return account;
  const auto asked = find_groups(identity.groups);
  if (!asked) return asked.error();
  std::vector<gid_t>& groups = account->credentials.groups;
  for (const gid_t group : *asked)
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  return account;
}

Result<Account> find_account(const worker::Identity& identity) {
  Result<Account> account = look_up_account(identity);
  if (!account) return account;
  if (::geteuid() == 0) {
    // Root without CAP_SETGID may not even set the groups that it has.
    account->changes = !are_same(account->credentials, ourselves().credentials);
    return account;
  }
  if (account->credentials.uid != ::geteuid())
    return failure("cannot run as user '" + *identity.user +
                   "': only root may; start poolwarden as root or leave identity.user out");
  const auto asked = find_groups(identity.groups);
  if (!asked || !has_groups(ourselves().credentials.groups, *asked))
    return failure(
        "cannot add groups: only root may; start poolwarden as root or leave "
        "identity.groups out");
  return account;
}

Result<std::uint64_t> capability_set(const std::vector<std::string>& names) {
  std::uint64_t set = 0;
  for (const std::string& name : names) {
    std::string word = name;
    for (char& letter : word)
      letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (word.starts_with("cap_")) word = word.substr(4);
    const auto found = std::find(kCapabilities.begin(), kCapabilities.end(), word);
    if (found == kCapabilities.end()) {
      const auto near = nearest(word, kCapabilities);
      return failure("cannot grant capability '" + name + "': there is none of this name" +
                     (near ? "; did you mean " + *near + "?" : ""));
    }
    set |= std::uint64_t{1} << (found - kCapabilities.begin());
  }
  return set;
}

std::vector<std::string> capability_names(std::uint64_t set) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kCapabilities.size(); ++i) {
    if ((set >> i & 1) == 0) continue;
    std::string name = kCapabilities[i];
    for (char& letter : name)
      letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace poolwarden::process
