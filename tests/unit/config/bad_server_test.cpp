// Wrong keys at the top of the file, and pools that do not fit together.

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

TEST(BadServerKeys, AreToldOfAtTheirPlaces) {
  expect_complaints({
      {"listen: 8080\npools: {web: {command: a}}", 1, 9, "listen",
       "got \"8080\"; write 0.0.0.0:8080"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 22, "listen[1]", "got \"localhost:81\"; write 127.0.0.1:81"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 36, "listen[2]", "got \"*:82\"; for all addresses write 0.0.0.0:82"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 44, "listen[3]", "got \"::1:83\"; an IPv6 address needs brackets, as in [::1]:80"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 54, "listen[4]",
       "got \"web:84\"; the host must be an IP address: names are not looked up"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 64, "listen[5]", "got \"0.0.0.0:99999\"; a port is a number from 0 to 65535"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 79, "listen[6]", "got \"unix:run/x\"; the path must begin with /"},
      {"listen: [0.0.0.0:80, localhost:81, '*:82', '::1:83', 'web:84', 0.0.0.0:99999, unix:run/x, "
       "/run/x]\npools: {web: {command: a}}",
       1, 91, "listen[7]", "got \"/run/x\"; write unix:/run/x"},
      {"listen: []\npools: {web: {command: a}}", 1, 9, "listen",
       "expected from 1 to 64 addresses, got 0"},
      {"listen: [0.0.0.0:80, 0.0.0.0:80]\nadmin: 0.0.0.0:80\npools: {web: {command: a}}", 1, 22,
       "listen[1]", "the address 0.0.0.0:80 stands here a second time; remove one of them"},
      {"listen: [0.0.0.0:80, 0.0.0.0:80]\nadmin: 0.0.0.0:80\npools: {web: {command: a}}", 2, 8,
       "admin", "listen and admin have the same address 0.0.0.0:80; give admin another port"},
      {"listen: 127.0.0.1:9180\npools: {web: {command: a}}", 1, 9, "listen",
       "listen and admin have the same address 127.0.0.1:9180; give admin another port"},
      {"state: lib/x\npools: {web: {command: a}}", 1, 8, "state",
       "expected an absolute path such as /var/lib/poolwarden, got \"lib/x\"; it must begin with "
       "/"},
      {"state: ${HOME}/x\npools: {web: {command: a}}", 1, 8, "state", "it must begin with /"},
      {"control: run/x.sock\npools: {web: {command: a}}", 1, 10, "control",
       "got \"run/x.sock\"; it must begin with /"},
      {"log: json\npools: {web: {command: a}}", 1, 6, "log",
       "expected a map with the keys format or level, got \"json\""},
      {"log: {format: jsn, level: warn}\npools: {web: {command: a}}", 1, 15, "log.format",
       "expected automatic, json or text, got \"jsn\"; did you mean \"json\"?"},
      {"log: {format: jsn, level: warn}\npools: {web: {command: a}}", 1, 27, "log.level",
       "expected debug, info, warning or error, got \"warn\""},
      {"gateway: {processes: -1, user: ''}\npools: {web: {command: a}}", 1, 22, "gateway.processes",
       "expected a whole number from 0 to 256, got \"-1\""},
      {"gateway: {processes: -1, user: ''}\npools: {web: {command: a}}", 1, 32, "gateway.user",
       "expected a user name such as nobody, or a number, got \"\""},
      {"lisen: 0.0.0.0:80\npools: {web: {command: a}}", 1, 1, "lisen",
       "unknown key \"lisen\"; did you mean \"listen\"?"},
      {"command: a\npools: {web: {command: a}}", 1, 1, "command",
       "unknown key \"command\"; did you mean pools.NAME.command?"},
      {"workers: 3\npools: {web: {command: a}}", 1, 1, "workers",
       "unknown key \"workers\"; did you mean pools.NAME.workers?"},
      {"pools: {web: {command: a, admin: 1.1.1.1:1}}", 1, 27, "pools.web.admin",
       "unknown key \"admin\"; did you mean admin at the top of the file?"},
      {"defaults: {workers: x, zzz: 1}\npools: {a: {command: x}, b: {command: y}}", 1, 21,
       "defaults.workers", "expected a whole number from 0 to 1024, got \"x\""},
      {"defaults: 5\npools: {a: {command: x}}", 1, 11, "defaults", "got \"5\""},
      {"pools: {a: {command: x, routes: [{path: /}]}, b: {command: y, routes: [{host: '*'}]}}", 1,
       72, "pools.b.routes[0]", "pool a has the route * / already, in line 1; remove one of them"},
      {"pools:\n  web: {command: a, workers: 1024}\n  b: {command: a, workers: 1024}\n  c: "
       "{command: a, workers: 1024}\n  d: {command: a, workers: 1024}",
       5, 28, "pools.d.workers",
       "with this pool there are 4100 workers in all, counting workers.max and recycle.at_once of "
       "each"},
      {"base: &b {command: x}\npools: {web: *b}", 1, 1, "base",
       "unknown key \"base\"; known here: listen, admin, control, state, log, gateway, shutdown, "
       "defaults "
       "or pools"},
  });
}

}  // namespace
}  // namespace poolwarden::config
