// The keys at the top of the file.

#include "config/key_table.h"
#include "config/plain_formats.h"
#include "config/pool_formats.h"

namespace poolwarden::config {
namespace {

using Keys = KeyTable<Settings>;

#define FIELD(member) \
  [](auto& owner) -> auto& { return owner.member; }

template <typename T, typename Field>
void add(Keys& keys, const std::string& path, const Format<T>& format, Field field,
         const std::string& description, Effect effect = Effect::Now) {
  keys.push_back(
      config::bind<Settings>(path, format, field, Applies::AfterRestart, description, effect));
}

// Maps of pool settings: read by parse_settings, which knows how they are laid over each other.
Key<Settings> pools_below(const std::string& path, const std::string& description) {
  return {path,
          "map",
          description,
          Applies::Live,
          Effect::Now,
          {},
          [](const Cell&, Settings&) {},
          [](const Settings&) { return NodePtr(); }};
}

Keys make_keys() {
  Keys keys;
  add(keys, "listen", addresses(), FIELD(listen),
      "Where the gateway takes requests: an address or a list; unix:/path for a Unix socket.");
  add(keys, "admin", address(), FIELD(admin),
      "Metrics, health, status page and read-only API; readable by whoever reaches it.");
  add(keys, "control", socket_path(), FIELD(control),
      "The socket that commands come to, mode 0660.");
  add(keys, "state", optional(plain_path("/var/lib/poolwarden")), FIELD(state),
      "The directory where death certificates survive a restart of the supervisor; without it, "
      "the first of $STATE_DIRECTORY, which systemd sets, and without that, nowhere.");
  add(keys, "log.format",
      choice<LogFormat>({{"automatic", LogFormat::Automatic},
                         {"json", LogFormat::Json},
                         {"text", LogFormat::Text}}),
      FIELD(log.format), "How log lines look; automatic is text on a terminal, else json.");
  add(keys, "log.level",
      choice<Severity>({{"debug", Severity::Debug},
                        {"info", Severity::Info},
                        {"warning", Severity::Warning},
                        {"error", Severity::Error}}),
      FIELD(log.level), "The least severe level that is logged.");
  add(keys, "gateway.processes", whole(0, 256), FIELD(gateway.processes),
      "Gateway processes; 0 for one per CPU.", Effect::OnlyDefault);
  add(keys, "gateway.user", word("user", "a user name such as nobody, or a number"),
      FIELD(gateway.user), "Who the gateway runs as when the supervisor is root.");
  keys.push_back(config::bind<Settings>(
      "shutdown.delay", time_limit(), FIELD(shutdown.delay), Applies::Live,
      "How long it goes on serving when it is told to end, not ready any more and with Connection: "
      "close on each answer. A stop takes so much longer: whoever kills after a grace has to wait "
      "for it too."));
  keys.push_back(pools_below("defaults",
                             "Merged under every pool, map by map; a pool's own key "
                             "wins, and lists are replaced."));
  keys.push_back(pools_below("pools", "The pools by name: letters, digits, - and _, at most 64."));
  return keys;
}

#undef FIELD

}  // namespace

const KeyTable<Settings>& server_keys() {
  static const Keys kKeys = make_keys();
  return kKeys;
}

const Settings& defaults_of(const Settings*) {
  static const Settings kDefaults = default_settings();
  return kDefaults;
}

void note_not_in_effect(const Cell& cell) {
  const Place place = cell.node->place;
  cell.findings->push_back(
      {Finding::Kind::NotInEffect, place.line, place.column, cell.path,
       "not in effect yet: this value is read and kept, but the default applies"});
}

}  // namespace poolwarden::config
