"""Supervisor: is Poolwarden itself well, in each replica?"""

from . import words
from .board import Board, Row
from .panels import (STATUS_CODES, Query, bars, by_name, by_pattern, colored, fixed, limit_line, lines, mapping, stat,
                     steps, table)
from .promql import EVERY, highest, in_range, lowest, of_program, per_bar, per_second, quantile_line, total

LAG = of_program("poolwarden_event_loop_lag_seconds_bucket")
UP = of_program("up")
SNAPSHOT = of_program("poolwarden_snapshot_timestamp_seconds")
RELOADED = of_program("poolwarden_config_last_reload_success_timestamp_seconds")
STATE_AGE = f"timestamp({SNAPSHOT}) - {SNAPSHOT}"  # when it was scraped, not now


def by_replica(metric):
    return Query(highest(of_program(metric), "instance"), "{{instance}}")


def counted(title, telling, metric, color="red", **how):
    return stat(title, telling, [Query(in_range(of_program(metric)), instant=True)], "short",
                steps("green", (0.5, color)), decimals=0, **how)


SUMMARY = [
    stat("Replicas",
         ("Supervisors that Prometheus reaches, and all that it knows.",
          "One that does not answer may still serve clients: the gateway is another process.",
          "Look at its container or unit, and whether its admin address is reachable."),
         [Query(total(UP), "up", instant=True), Query(f"count({UP})", "of", instant=True)], "short", width=4),
    stat("Oldest state",
         ("How old the state is that the metrics show, in the worst replica; it is renewed each second.",
          "It grows when supervision hangs, while metrics and the gateway go on.",
          "Above 10 s: see the event loop below."),
         [Query(highest(STATE_AGE), instant=True)], "s",
         steps("green", (10, "orange"), (30, "red"))),
    stat("Configuration",
         ("Whether the last reload was accepted, in all replicas.",
          "A refused reload changes nothing: the old configuration is in effect.",
          "`poolwarden check FILE` tells every mistake in the file."),
         [Query(lowest(of_program("poolwarden_config_last_reload_successful")), instant=True)], None,
         mappings=mapping({0: ("refused", "red"), 1: ("in effect", "green")}), width=4),
    counted("Gateway restarts",
            ("Gateway processes that ended unexpectedly in the time range and were started again.",
             "Requests in flight in it are lost; the listening sockets and the counters live on.",
             "It must be 0. Look for gateway.exited in `poolwarden events`, and report it."),
            "poolwarden_gateway_restarts_total"),
    counted("Stalls",
            ("How often the supervisor's event loop was held up for more than 250 ms, in the time range.",
             "Meanwhile no exit is noticed and no worker started.",
             "A slow disk, a machine without CPU to spare, or a defect: see the lag below."),
            "poolwarden_event_loop_stalls_total", "orange"),
    counted("Log lines dropped",
            ("Log lines dropped in the time range because nobody took them in time.",
             "What is missing in the log is still in `poolwarden events`.",
             "Find what blocks standard output: a full pipe, a slow log driver."),
            "poolwarden_events_dropped_total", "orange"),
    stat("Limits not enforced",
         ("Pools that have limits which cannot be applied where they run, each counted in every replica.",
          "Such limits protect nobody: one leak takes the whole container.",
          "Grant the container a writable cgroup, or the unit Delegate=yes; see containment in the table below."),
         [Query(f"count(poolwarden_pool_limits_enforced{{{EVERY}}} == 0)", instant=True)], "short",
         steps("green", (1, "orange")), nothing="none", width=4),
]

PROGRAMS = [
    table("What runs where",
          ("Each replica: version, when it started, the containment that its machine grants, and the hash of its "
           "configuration.",
           "Versions or hashes that differ are a deploy that is half done.",
           "Finish the deploy. containment none: no limits are enforced and no worker has a cgroup of its own."),
          [Query(highest(of_program("poolwarden_build_info"), "instance", "version", "revision", "build_type"),
                 instant=True, table=True),
           Query(highest(of_program("poolwarden_containment_info"), "instance", "cgroup", "subreaper", "pid1"),
                 instant=True, table=True),
           Query(highest(f"label_replace({of_program('poolwarden_config_info')}, "
                         '"sha", "$1", "sha256", "(.{8}).*")', "instance", "sha"),
                 instant=True, table=True, optional="no configuration file"),
           Query(f"{highest(of_program('process_start_time_seconds'), 'instance')} * 1000", instant=True, table=True),
           Query(f"{highest(RELOADED, 'instance')} * 1000", instant=True, table=True),
           *(Query(total(f"poolwarden_pools{{{EVERY}, state=\"{state}\"}}", "instance"), instant=True, table=True)
             for state in ("running", "disabled"))],
          {"instance": "Replica", "version": "Version", "revision": "Revision", "build_type": "Build",
           "cgroup": "Containment", "pid1": "PID 1", "sha": "Configuration", "Value #E": "In effect",
           "Value #D": "Started",
           "Value #F": "Pools running", "Value #G": "Pools disabled"},
          width=24, height=6, overrides=[
              by_pattern("/^(Started|In effect)$/", unit="dateTimeFromNow"),
              by_pattern("/^Pools/", unit="short", decimals=0),
              by_name("Pools disabled", thresholds=steps("text", (1, "red")),
                      custom__cellOptions={"type": "color-text"}),
              by_name("Containment", color={"mode": "thresholds"}, custom__cellOptions={"type": "color-text"},
                      mappings=mapping({"none": ("none", "orange")}))]),
]

LOOP = [
    lines("Event loop lag, p99",
          ("How late the supervisor's event loop runs what is due, in each replica; dashed: 250 ms, from which on it "
           "counts as a stall.",
           "All supervision waits behind it: exits, starts, readiness.",
           "Machine without CPU to spare, or a slow disk; else report it."),
          [Query(quantile_line(0.99, LAG, "instance"), "{{instance}}")], "s", width=8,
          thresholds=steps("transparent", (0.25, "red")), at_least=0.3),
    lines("CPU of the supervisor",
          ("CPU time that the supervisor itself uses, workers and gateway not counted, as a share of one CPU.",
           "It is small; a rise means many events, or many scrapes.",
           "Compare with the events below."),
          [Query(total(per_second(of_program("process_cpu_seconds_total")), "instance"), "{{instance}}")],
          "percentunit", width=8),
    lines("Memory of the supervisor",
          ("Resident memory of the supervisor process alone.",
           "It grows with pools and workers, not with time.",
           "A steady rise over days is a defect: report it."),
          [by_replica("process_resident_memory_bytes")], "bytes", width=8),
    lines("Descriptors of the supervisor",
          ("Open descriptors as a share of what the supervisor may open.",
           "Each worker needs some. At 100 % (dashed) no worker can be started.",
           "Above 80 %: raise the limit (ulimits, LimitNOFILE)."),
          [Query(highest(f"{of_program('process_open_fds')} / {of_program('process_max_fds')}", "instance"),
                 "{{instance}}")], "percentunit", width=8, thresholds=steps("transparent", (1, "red")),
          at_least=1.05),
    lines("Age of the state shown",
          ("How old the state is that each replica's metrics show.",
           "It is renewed each second; a ramp is a supervisor that hangs.",
           "`poolwarden status` does not answer then: look at its stack, and restart it. Workers end with it."),
          [Query(highest(STATE_AGE, "instance"),
                 "{{instance}}")], "s", width=8, at_least=2),
    lines("Duration of a scrape",
          ("How long each part of /metrics takes to collect, in the slowest replica.",
           "cgroup and proc read files of every worker.",
           "Above a second: more workers than one replica should have, or a slow /proc."),
          [Query(highest(of_program("poolwarden_scrape_collector_duration_seconds"), "collector"), "{{collector}}")],
          "s", width=8),
]

GATEWAY = [
    lines("Connections of clients",
          ("Open connections by listener, all replicas.",
           "Each takes a descriptor of the gateway.",
           "A steady rise: slow clients or a balancer that keeps too many open: look at its pool settings."),
          [Query(total(of_program("poolwarden_http_connections"), "listener"), "{{listener}}")], "short", width=8,
          decimals=0, at_least=2, nothing=words.NO_HTTP),
    lines("New connections",
          ("Connections accepted each second, and attempts that failed for want of descriptors or memory.",
           "Many new connections for few requests: clients or a balancer without keep-alive.",
           "Turn on keep-alive in the balancer. Failures: raise the limit of open files; they wait meanwhile."),
          [Query(total(per_second(of_program("poolwarden_http_connections_accepted_total"))), "accepted"),
           Query(total(per_second(of_program("poolwarden_http_accept_failures_total"))), "failed")],
          "cps", width=8, overrides=colored({"accepted": "green", "failed": "red"}), nothing=words.NO_HTTP),
    bars("Requests of no pool",
         ("Requests that the gateway answered without any pool, by code.",
          "404: no route takes that host and path. 400, 408, 431: not HTTP as it should be.",
          "404 after a reload: a route is missing. Otherwise these are scanners."),
         [Query(per_bar(f"poolwarden_http_requests_total{{{EVERY}, pool=\"\"}}", "code"), "{{code}}")], width=8,
         overrides=STATUS_CODES, nothing="every request had a pool"),
]

TOLD = [
    bars("Events",
         ("Events by name, without the ordinary ones of single workers.",
          "It is the story of the replicas in one picture.",
          "`poolwarden events` has the sentences."),
         [Query(per_bar(of_program("poolwarden_events_total",
                                   'event!~"worker.(starting|spawned|ready|status|stopped|draining|recycled|idle)"'),
                        "event"), "{{event}}")], width=12, side="right", nothing="nothing happened"),
    bars("Reloads and commands",
         ("Reloads that were asked for and refused; commands that change something, by outcome; strangers reaped as "
          "PID 1. Commands that only look are left out.",
          "A command that was not done is something that somebody wanted and did not get.",
          "`poolwarden check` for refused reloads."),
         [Query(per_bar(of_program("poolwarden_config_reloads_total")), "reloads"),
          Query(per_bar(of_program("poolwarden_config_reload_failures_total")), "reloads refused"),
          Query(per_bar(of_program("poolwarden_admin_requests_total",
                                   'command!~"status|events|metrics|plan|healthcheck"'), "command", "code"),
                "{{command}}: {{code}}"),
          Query(per_bar(of_program("poolwarden_orphans_reaped_total")), "strangers reaped")], width=6,
         overrides=[by_name("reloads refused", color=fixed("red"))], nothing="nobody asked for anything"),
    bars("Log lines",
         ("Lines of the log by level, those of the workers' output included.",
          "A flood costs disk, and lines are dropped when nobody takes them in time.",
          "Which worker: `poolwarden events`, or the log itself."),
         [Query(per_bar(of_program("poolwarden_log_messages_total"), "level"), "{{level}}"),
          Query(per_bar(of_program("poolwarden_events_dropped_total")), "dropped")], width=6,
         overrides=colored({"info": "blue", "warning": "yellow", "error": "red", "dropped": "purple"}),
         nothing="nothing was logged"),
    table("Parts of a scrape that fail",
          ("Parts of /metrics that a replica could not collect at its last scrape.",
           "Panels that need them are empty or stale.",
           "cgroup, proc: permissions of the container. Others: report it."),
          [Query(f"{of_program('poolwarden_scrape_collector_success')} == 0", instant=True, table=True)],
          {"instance": "Replica", "collector": "Part", "Value": "Success"}, width=8, height=5, unit="short",
          nothing="none fails"),
    lines("Threads",
          ("Threads of the supervisor.",
           "Their number is fixed.",
           "A rise is a defect: report it."),
          [by_replica("process_threads")], "short", width=8, height=5, decimals=0),
    lines("Address space",
          ("Virtual memory of the supervisor; dashed: what it may use, if limited.",
           "At the limit it cannot allocate and ends.",
           "Raise the limit: address space costs nothing."),
          [by_replica("process_virtual_memory_bytes"),
           Query(lowest(of_program("process_virtual_memory_max_bytes")), "limit", optional=words.NO_LIMIT)], "bytes",
          width=8, height=5, overrides=[limit_line("limit")]),
]

BOARD = Board(
    "poolwarden-supervisor", "Poolwarden / Supervisor",
    "Is Poolwarden itself well, in each replica?",
    [Row("", SUMMARY), Row("Replicas", PROGRAMS), Row("Supervision", LOOP), Row("Gateway: connections", GATEWAY),
     Row("What it tells", TOLD)], pools="none")
