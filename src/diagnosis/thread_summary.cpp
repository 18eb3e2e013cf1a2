#include "diagnosis/thread_summary.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "diagnosis/clue_text.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::size_t kMostGroups = 3;
constexpr std::size_t kMostOfName = 64;

struct Group {
  char state = '?';
  std::string waits_in;
  std::size_t count = 0;
};

std::vector<Group> groups_of(const std::vector<ThreadState>& threads) {
  std::vector<Group> groups;
  for (const ThreadState& thread : threads) {
    const std::string place = thread.waits_in.substr(0, kMostOfName);
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& it) {
      return it.state == thread.state && it.waits_in == place;
    });
    if (same == groups.end()) {
      groups.push_back({thread.state, place, 1});
    } else {
      ++same->count;
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& one, const Group& other) {
    const bool first = one.state == 'D';
    const bool second = other.state == 'D';
    return first != second ? first : one.count > other.count;
  });
  return groups;
}

// proc(5): the states of a thread.
std::string doing(const Group& group) {
  const bool is_one = group.count == 1;
  const std::string in = group.waits_in.empty() ? "" : " in " + group.waits_in;
  switch (group.state) {
    case 'R':
      return is_one ? "runs" : "run";
    case 'S':
    case 'I':
      return (is_one ? "waits" : "wait") + in;
    case 'D':
      return std::string(is_one ? "is" : "are") + " in state D (not to be interrupted)" + in;
    case 'T':
      return is_one ? "is stopped by a signal" : "are stopped by a signal";
    case 't':
      return is_one ? "is stopped by a debugger" : "are stopped by a debugger";
    case 'Z':
    case 'X':
      return is_one ? "has ended" : "have ended";
    default:
      return std::string(is_one ? "is" : "are") + " in an unknown state" + in;
  }
}

constexpr std::array<std::string_view, 2> kLocks = {"futex", "rwsem"};
constexpr std::array<std::string_view, 7> kNetwork = {"inet_",   "tcp_", "skb_",       "sk_wait",
                                                      "connect", "recv", "unix_stream"};
constexpr std::array<std::string_view, 3> kChildren = {"do_wait", "wait4", "waitid"};
constexpr std::array<std::string_view, 3> kFileLocks = {"flock", "fcntl", "locks_lock"};
constexpr std::array<std::string_view, 2> kSleep = {"nanosleep", "hrtimer"};
constexpr std::array<std::string_view, 5> kEvents = {"poll", "select", "epoll", "ep_", "accept"};

struct Hint {
  const std::string_view* names;
  std::size_t count;
  const char* text;
};

// The first that one of the threads waits in; the likelier fault stands first.
const Hint kHints[] = {
    {kFileLocks.data(), kFileLocks.size(),
     "It waits for a lock on a file: see who holds it (lslocks)."},
    {kChildren.data(), kChildren.size(), "It waits for a child process: see what that one does."},
    {kNetwork.data(), kNetwork.size(),
     "It waits for an answer over the network: see whether the service that it needs can be "
     "reached, and give that call a time-out."},
    {kLocks.data(), kLocks.size(),
     "Threads wait for locks: look for a deadlock in its own stacks (health.stack_signal has it "
     "write them)."},
    {kSleep.data(), kSleep.size(), "It sleeps: look for a retry that waits."},
    {kEvents.data(), kEvents.size(),
     "It waits for events as an idle server does: see whether it listens where it is told."},
};

bool has_state(const std::vector<ThreadState>& threads, std::string_view states) {
  return std::any_of(threads.begin(), threads.end(), [&](const ThreadState& thread) {
    return states.find(thread.state) != std::string_view::npos;
  });
}

// In accept(2): of a unix socket it waits where others do for an answer, and only the stack tells.
bool takes_connections(const ThreadState& thread) {
  const auto names_it = [](const std::string& name) { return mentions(name, "accept"); };
  return names_it(thread.waits_in) ||
         std::any_of(thread.kernel_stack.begin(), thread.kernel_stack.end(), names_it);
}

bool waits_in(const ThreadState& thread, const Hint& hint) {
  if (takes_connections(thread)) return hint.names == kEvents.data();
  const bool is_for_packets = mentions(thread.waits_in, "skb_wait_for_more");
  if (is_for_packets && thread.kernel_stack.empty()) return false;
  for (std::size_t i = 0; i < hint.count; ++i) {
    // "do_wait" is for a child, "futex_do_wait" is not.
    const bool is_child = hint.names == kChildren.data();
    if (is_child ? thread.waits_in == hint.names[i] : mentions(thread.waits_in, hint.names[i]))
      return true;
  }
  return false;
}

}  // namespace

std::string summary_of(const std::vector<ThreadState>& threads) {
  if (threads.empty()) return "";
  const std::vector<Group> groups = groups_of(threads);
  const std::string total = std::to_string(threads.size());
  if (threads.size() == 1) return "its only thread " + doing(groups.front());
  std::string text;
  for (std::size_t i = 0; i < std::min(groups.size(), kMostGroups); ++i) {
    const std::string count = std::to_string(groups[i].count);
    text += i == 0 ? count + " of " + total + " threads of its tree " : ", " + count + " ";
    text += doing(groups[i]);
  }
  return text;
}

std::string suggestion_of(const std::vector<ThreadState>& threads) {
  if (has_state(threads, "D"))
    return "A thread in state D waits for a disk, a network file system or a device: look at its "
           "kernel stack in the certificate, and at dmesg.";
  if (has_state(threads, "Tt"))
    return "It is stopped: let it go on (kill -CONT PID), or detach the debugger.";
  if (has_state(threads, "R"))
    return "It computes: look for an endless loop (`perf top -p PID`, py-spy, jstack), or give it "
           "more CPU.";
  for (const Hint& hint : kHints) {
    for (const ThreadState& thread : threads) {
      if (waits_in(thread, hint)) return hint.text;
    }
  }
  return "";
}

}  // namespace poolwarden::diagnosis
