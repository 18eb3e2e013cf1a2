// Wrong keys of a pool: what its workers are and which requests they get.

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

TEST(BadPoolKeys, TooManyRoutesForOneMessageAreRefused) {
  std::string routes = "routes: [";
  for (int i = 0; i < 129; ++i) routes += "{path: /r" + std::to_string(i) + "}, ";
  expect_complaints({{pool(routes + "]"), 4, 13, "pools.web.routes", "at most 128 routes, got 129"},
                     {pool("routes: [{path: /" + std::string(600, 'a') + "}]"), 4, 21,
                      "pools.web.routes[0].path", "at most 512 bytes"}});
}

TEST(BadPoolKeys, AreToldOfAtTheirPlaces) {
  expect_complaints({
      {"pools: {web: {comand: [a]}}", 1, 9, "pools.web",
       "command is missing; add the program to run, such as command: [gunicorn, \"app:app\"]"},
      {"pools: {web: {}}", 1, 9, "pools.web",
       "command is missing; add the program to run, such as command: [gunicorn, \"app:app\"]"},
      {"pools: {web: }", 1, 9, "pools.web",
       "command is missing; add the program to run, such as command: [gunicorn, \"app:app\"]"},
      {"pools: {web: 5}", 1, 9, "pools.web", "got \"5\""},
      {"pools: {web: {command: []}}", 1, 24, "pools.web.command", "got an empty list"},
      {"pools: {web: {command: }}", 1, 15, "pools.web.command", "got nothing"},
      {"pools: {web: {command: {a: b}}}", 1, 24, "pools.web.command", "got a map"},
      {"pools: {web: {command: [[a]]}}", 1, 25, "pools.web.command[0]",
       "expected an argument, got a list; quote it if it is meant as text"},
      {"pools: {web: {command: ['']}}", 1, 25, "pools.web.command[0]",
       "got \"\"; its first word names the program"},
      {"pools: {'my pool': {command: a}}", 1, 9, "pools.my pool",
       "\"my pool\" cannot be the name of a pool: letters, digits, - and _ only, from 1 to 64 of "
       "them"},
      {pool("directory: srv"), 4, 16, "pools.web.directory",
       "expected an absolute path such as /srv/app, got \"srv\"; it must begin with /"},
      {pool("environment: [A=b]"), 4, 18, "pools.web.environment",
       "got a list; write NAME: value, one a line"},
      {pool("environment: {1A: b, 'A-B': c, OK: [x], E: }"), 4, 19, "pools.web.environment.1A",
       "\"1A\" is no name of an environment variable: letters, digits and _ only, and no digit "
       "first"},
      {pool("environment: {1A: b, 'A-B': c, OK: [x], E: }"), 4, 26, "pools.web.environment.A-B",
       "\"A-B\" is no name of an environment variable: letters, digits and _ only, and no digit "
       "first"},
      {pool("environment: {1A: b, 'A-B': c, OK: [x], E: }"), 4, 40, "pools.web.environment.OK",
       "expected a text, got a list; for an empty value write \"\""},
      {pool("environment: {1A: b, 'A-B': c, OK: [x], E: }"), 4, 45, "pools.web.environment.E",
       "expected a text, got nothing; for an empty value write \"\""},
      {pool("identity: root"), 4, 15, "pools.web.identity",
       "expected a map with the keys user, groups, umask, no_new_privileges or capabilities, got "
       "\"root\""},
      {pool("identity: {user: 'a b', groups: www, umask: '0999', no_new_privileges: yes, "
            "capabilities: [NET_BND_SERVICE, CAP_KILL]}"),
       4, 22, "pools.web.identity.user",
       "expected a user name such as www-data, or a number, got \"a b\""},
      {pool("identity: {user: 'a b', groups: www, umask: '0999', no_new_privileges: yes, "
            "capabilities: [NET_BND_SERVICE, CAP_KILL]}"),
       4, 37, "pools.web.identity.groups", "expected a list such as [poolworkers], got \"www\""},
      {pool("identity: {user: 'a b', groups: www, umask: '0999', no_new_privileges: yes, "
            "capabilities: [NET_BND_SERVICE, CAP_KILL]}"),
       4, 49, "pools.web.identity.umask", "expected an octal mask such as \"0027\", got \"0999\""},
      {pool("identity: {user: 'a b', groups: www, umask: '0999', no_new_privileges: yes, "
            "capabilities: [NET_BND_SERVICE, CAP_KILL]}"),
       4, 76, "pools.web.identity.no_new_privileges",
       "expected true or false, got \"yes\"; did you mean true?"},
      {pool("identity: {user: 'a b', groups: www, umask: '0999', no_new_privileges: yes, "
            "capabilities: [NET_BND_SERVICE, CAP_KILL]}"),
       4, 96, "pools.web.identity.capabilities[0]",
       "got \"NET_BND_SERVICE\"; did you mean CAP_NET_BIND_SERVICE?"},
      {pool("umask: '0027'"), 4, 5, "pools.web.umask",
       "unknown key \"umask\"; did you mean identity.umask?"},
      {pool("memory: 5"), 4, 5, "pools.web.memory",
       "unknown key \"memory\"; did you mean limits.memory?"},
      {pool("timeout: 5s"), 4, 5, "pools.web.timeout",
       "unknown key \"timeout\"; did you mean ready.timeout, stop.timeout, health.ping.timeout or"},
      {pool("restart_limit: 5"), 4, 5, "pools.web.restart_limit",
       "unknown key \"restart_limit\"; did you mean queue.restart_limit?"},
      {pool("ping: {http: /}"), 4, 5, "pools.web.ping",
       "unknown key \"ping\"; did you mean health.ping?"},
      {pool("zzz: 1"), 4, 5, "pools.web.zzz",
       "unknown key \"zzz\"; known here: command, directory, environment, identity, connect, "
       "threads,"},
      {pool("ready: notify"), 4, 12, "pools.web.ready",
       "expected a map with the keys when, http or timeout, got \"notify\""},
      {pool("ready: {timout: 5s}"), 4, 13, "pools.web.ready.timout",
       "unknown key \"timout\"; did you mean \"timeout\"?"},
      {pool("ready: {timeout: soon}"), 4, 22, "pools.web.ready.timeout",
       "expected a duration such as 250ms, 30s, 1h30m or infinite, got \"soon\""},
      {pool("ready: {timeout: 30}"), 4, 22, "pools.web.ready.timeout",
       "expected a duration such as 250ms, 30s, 1h30m or infinite, got \"30\"; a unit is missing: "
       "30s?"},
      {pool("ready: {when: http}\nroutes: [{path: /}]"), 4, 19, "pools.web.ready.when",
       "expected connect, notify, started or {http: /path}, got \"http\"; write {when: {http: "
       "/healthz}}"},
      {pool("ready: {when: conect}\nroutes: [{path: /}]"), 4, 19, "pools.web.ready.when",
       "expected connect, notify, started or {http: /path}, got \"conect\"; did you mean "
       "\"connect\"?"},
      {pool("ready: {when: {htpp: /}}\nroutes: [{path: /}]"), 4, 19, "pools.web.ready.when",
       "expected connect, notify, started or {http: /path}, got a map"},
      {pool("ready: {when: 'http: health'}\nroutes: [{path: /}]"), 4, 19, "pools.web.ready.when",
       "expected a path such as /healthz, got \"health\"; it must begin with /"},
      {pool("ready: {when: connect}"), 4, 19, "pools.web.ready.when",
       "a pool without routes has no socket to connect to; use ready: {when: started} or {when:"},
      {pool("ready: {http: /x}"), 4, 19, "pools.web.ready.http",
       "a pool without routes has no socket to connect to; use ready: {when: started} or {when:"},
      {pool("routes: [{path: /}]\nready: {http: /x, when: notify}"), 5, 19, "pools.web.ready.http",
       "ready.when is given too; remove one of them"},
      {pool("routes: [{path: /}]\nconnect: inherit"), 5, 14, "pools.web.connect",
       "with connect: inherit the socket takes connections before the worker does, so when it is "
       "ready"},
      {pool("routes: [{path: /}]\nconnect: inherit\nready: {when: connect}"), 6, 19,
       "pools.web.ready.when",
       "with connect: inherit connecting always succeeds, so this tells nothing; use {when: "
       "notify} or"},
      {pool("connect: udp"), 4, 14, "pools.web.connect",
       "expected unix, tcp or inherit, got \"udp\""},
      {pool("stop: {signal: SIGKILL}"), 4, 20, "pools.web.stop.signal",
       "got \"SIGKILL\"; no worker can react to it; what has not ended by stop.timeout is killed "
       "anyway"},
      {pool("stop: {signal: SIGTRM}"), 4, 20, "pools.web.stop.signal",
       "expected a signal such as SIGTERM, TERM or 15, got \"SIGTRM\"; did you mean SIGTERM?"},
      {pool("stop: {signal: 99}"), 4, 20, "pools.web.stop.signal",
       "expected a signal such as SIGTERM, TERM or 15, got \"99\""},
      {pool("stop: {timeout: -5s}"), 4, 21, "pools.web.stop.timeout",
       "expected a duration such as 250ms, 30s, 1h30m or infinite, got \"-5s\""},
      {pool("workers: many"), 4, 14, "pools.web.workers",
       "expected a whole number from 0 to 1024, got \"many\""},
      {pool("workers: {min: 4, max: 2}"), 4, 28, "pools.web.workers.max",
       "max is 2 and less than min, which is 4; leave max out to have both the same"},
      {pool("workers: {mn: 4}"), 4, 15, "pools.web.workers.mn",
       "unknown key \"mn\"; did you mean \"min\"?"},
      {pool("workers: [2]"), 4, 14, "pools.web.workers",
       "expected a number, or a map such as {min: 2, max: 4}, got a list"},
      {pool("workers: 99999"), 4, 14, "pools.web.workers",
       "expected a whole number from 0 to 1024, got \"99999\""},
      {pool("routes: /"), 4, 13, "pools.web.routes",
       "expected a list such as [{host: \"*\", path: /}], got \"/\""},
      {pool("routes: [/]"), 4, 14, "pools.web.routes[0]",
       "expected a route such as {host: \"*\", path: /}, got \"/\""},
      {pool("routes: [{path: api}]"), 4, 21, "pools.web.routes[0].path",
       "expected a path such as / or /api, got \"api\"; it must begin with /"},
      {pool("routes: [{host: 'a.org:80'}]"), 4, 21, "pools.web.routes[0].host",
       "got \"a.org:80\"; leave the port out: it is not compared"},
      {pool("routes: [{host: 'a b'}]"), 4, 21, "pools.web.routes[0].host",
       "expected a host name such as example.org, *.example.org or *, got \"a b\""},
      {pool("routes: [{pth: /}]"), 4, 15, "pools.web.routes[0].pth",
       "unknown key \"pth\"; did you mean \"path\"?"},
      {pool("routes: [{path: '/a?b'}]"), 4, 21, "pools.web.routes[0].path",
       "expected a path such as / or /api, got \"/a?b\"; a route cannot look at the query"},
      {pool("routes: [{path: /a}, {path: /a/}]"), 4, 26, "pools.web.routes[1]",
       "pool web has the route * /a already, in line 4; remove one of them"},
      {pool("start: on-demand"), 4, 12, "pools.web.start",
       "expected always, on_demand or manual, got \"on-demand\"; did you mean \"on_demand\"?"},
      {pool("concurrency: 0"), 4, 18, "pools.web.concurrency",
       "expected a whole number from 1 to 65535, got \"0\""},
      {pool("threads: {worker: 0}"), 4, 23, "pools.web.threads.worker",
       "expected a whole number from 1 to 100000, got \"0\""},
  });
}

}  // namespace
}  // namespace poolwarden::config
