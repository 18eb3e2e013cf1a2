"""Pool: what is wrong with this one, and in which replica?"""

from . import words
from .board import Board, Row
from .panels import (QUANTILES, STATUS_CODES, Query, bars, by_name, by_pattern, colored, fixed, gauge, heatmap,
                     limit_line, lines, link, mapping, special, stat, steps, table, timeline)
from .promql import (DURATION, ERRORS, FAILURES, REQUESTS, closest_to_trip, highest,  of_pools, out_of_service,
                     per_bar, per_cell, per_second, pool_state, quantile_line, ratio, ready_workers, total)

FAILURES_BOARD = link("What failed", "poolwarden-failures", "${pool:queryparam}")
UPSTREAM = of_pools("poolwarden_http_upstream_duration_seconds_bucket")
STARTUP = of_pools("poolwarden_worker_startup_duration_seconds_bucket")
PING = of_pools("poolwarden_worker_ping_duration_seconds_bucket")
RECYCLE = of_pools("poolwarden_worker_recycle_duration_seconds_bucket")
NO_TRAFFIC = special("null+nan", "no traffic")
NO_PINGS = "health.ping is off"


def by_replica(metric):
    """Each replica's value, under its own name."""
    return Query(highest(of_pools(metric), "instance"), "{{instance}}")


def limit(metric, legend="limit", why=words.NO_LIMIT):
    return Query(highest(of_pools(metric)), legend, optional=why)


HEALTH = [
    stat("State",
         ("The pool as its worst replica has it.",
          "Red: this pool answers 503 everywhere; orange: in some replicas.",
          "The timeline below shows each replica."),
         [Query(pool_state("pool"), instant=True)], None, mappings=mapping(words.POOL_STATES), width=4, size=24,
         links=[FAILURES_BOARD]),
    stat("Replicas in service",
         ("Replicas that have this pool, and how many of them are not out of service.",
          "A replica that is out of service tells the balancer so (/readyz); the others carry its load.",
          "Find it in the timeline; the failures board says what its workers died of."),
         [Query(f"{total(of_pools('poolwarden_pool_info'))} - {out_of_service()}", "in service", instant=True),
          Query(total(of_pools("poolwarden_pool_info")), "of", instant=True)], "short", width=4),
    stat("Workers",
         ("Workers that can take a request, and how many are wanted, all replicas together.",
          "Fewer than wanted for minutes is lost capacity.",
          "See starts and start failures in row Workers."),
         [Query(ready_workers(), "ready", instant=True),
          Query(total(of_pools("poolwarden_workers_desired")), "wanted", instant=True)], "short", width=4),
    gauge("Rapid-fail",
          ("Failures in the window of rapid-fail protection, as a share of those allowed, in the worst replica. Each "
           "replica counts for itself.",
           "At 100 % the replica takes the pool out of service.",
           "From 60 % on open the failures board."),
          [Query(closest_to_trip(), instant=True)], "percentunit",
          steps("green", (0.4, "yellow"), (0.6, "orange"), (1, "red")), width=3, height=4,
          nothing="protection is off"),
    stat("Next start",
         ("When the next delayed start of a worker is due: after failures Poolwarden waits longer and longer.",
          "Until then the pool has fewer workers than it wants.",
          "`poolwarden start POOL` does not wait; but cure the cause first."),
         [Query(highest(of_pools("poolwarden_pool_next_start_timestamp_seconds")) + " * 1000", instant=True)],
         "dateTimeFromNow", steps("blue"), size=24, nothing="none"),
    stat("Requests",
         ("Requests answered each second, the gateway's own answers included.",
          "A sudden fall says that clients or the balancer have gone.",
          "Compare with the same time yesterday."),
         [Query(total(per_second(REQUESTS)), instant=True)], "reqps", size=28,
         mappings=special("null+nan", "no HTTP"), nothing=words.NO_HTTP),
    stat("Errors",
         ("The share of requests that ended with 5xx.",
          "This is what users feel.",
          "Reasons below, in row Requests."),
         [Query(f"{total(per_second(ERRORS))} / {total(per_second(REQUESTS))}", instant=True)], "percentunit",
         steps("green", (0.001, "yellow"), (0.01, "red")), mappings=NO_TRAFFIC,
         nothing=words.NO_HTTP),
    timeline("Replicas",
             ("The state of the pool in each replica.",
              "One bad replica: its machine, or one bad worker. All at once: a deploy, or something they all "
              "depend on.",
              "Dashed lines are rapid-fail trips (red), reloads (blue), starts of supervisors (grey): what came just "
              "before?"),
             [Query(pool_state("instance"), "{{instance}}")], words.POOL_STATES, width=24, height=6),
]

USERS = [
    lines("Requests by code",
          ("Requests each second, by status code.",
           "502: a worker died under a request. 503: refused, see row Queue. 504: health.request_timeout.",
           "Reasons in the panel Failed requests."),
          [Query(f"{total(per_second(REQUESTS), 'code')} > 0", "{{code}}")], "reqps", stacked=True, width=6,
          overrides=STATUS_CODES, nothing="no traffic"),
    lines("Latency",
          ("How long requests took, arrival to last byte. Dashed: p95 of the worker's own part, without the queue.",
           "Both p95 together: the worker is slow. Apart: requests wait.",
           "Slow worker: profile it, or the services it asks. Waiting: row Queue."),
          [*(Query(quantile_line(share, DURATION), f"p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)),
           Query(quantile_line(0.95, UPSTREAM), "worker's p95")], "s", width=6,
          overrides=[*QUANTILES, limit_line("worker's p95", "blue")], nothing="no traffic"),
    heatmap("Requests by duration",
            ("How many requests took how long; the darker, the more.",
             "Two bands are two kinds of requests, or a cache that hits and misses: a percentile hides that.",
             "A band that climbs: see CPU, memory and pressure below."),
            Query(per_cell(DURATION), "{{le}}", buckets=True), width=6, nothing="no traffic"),
    bars("Failed requests",
         ("Requests that failed by their worker or their client, by reason. lost: by a recycle, a reload or a "
          "shutdown. asked again: their worker died, and another one answered; no failure.",
          "lost must be 0; all others have a cause outside of Poolwarden.",
          "worker_died: the failures board. connect_failed: does it listen where it is told? client_aborted is the "
          "client's own doing."),
         [Query(per_bar(of_pools("poolwarden_http_request_failures_total"), "reason"), "{{reason}}"),
          Query(per_bar(of_pools("poolwarden_http_requests_lost_total", 'cause!="worker_died"'), "cause"),
                "lost: {{cause}}"),
          Query(per_bar(of_pools("poolwarden_http_retries_total")), "asked again")], width=6,
         overrides=[by_name("asked again", color=fixed("blue")), by_pattern("/^lost/", color=fixed("purple")),
                    *colored(words.FAILURE_COLORS)], nothing="no request failed"),
]

QUEUE = [
    lines("Queue by replica",
          ("Requests that wait for a worker, in each replica; dashed: queue.limit, the same "
           "for each.",
           "At the limit requests are answered with 503, queue_full.",
           "One replica only: its workers hang, or the balancer is unfair. All: too little capacity."),
          [by_replica("poolwarden_queue_length"), limit("poolwarden_queue_limit", why=words.NO_HTTP)], "short",
          width=6, calculations=("max",), overrides=[limit_line("limit")], decimals=0, nothing=words.NO_HTTP),
    lines("Oldest waiting request",
          ("How long the oldest request in the queue has waited, in each replica.",
           "At queue.timeout it is answered with 503, queue_timeout.",
           "It rises while nothing is answered: look at the workers by state, and at pings."),
          [by_replica("poolwarden_queue_oldest_request_age_seconds")], "s", width=6, at_least=1,
          nothing=words.NO_HTTP),
    heatmap("Wait in the queue",
            ("How long requests waited that had to wait, and then got a worker.",
             "Time that clients lose to missing capacity alone.",
             "Above a second: more workers, or more replicas."),
            Query(per_cell(of_pools("poolwarden_queue_wait_seconds_bucket")), "{{le}}", buckets=True),
            width=6, scheme="Oranges", nothing="no request had to wait"),
    bars("Turned away, by reason",
         ("Requests that were refused before they reached a worker.",
          "full, timeout: too little capacity. pool_disabled: out of service. shutdown: the replica was ending.",
          "For full and timeout scale up; for pool_disabled open the failures board."),
         [Query(per_bar(of_pools("poolwarden_queue_rejected_total"), "reason"), "{{reason}}")], width=6,
         overrides=colored(words.REJECTION_COLORS), nothing="no request was turned away"),
]

WORKERS = [
    lines("Workers by state",
          ("Workers of all replicas by state; dashed: how many are wanted, and the most that there may be.",
           "Wanted at the most for long: the pool cannot grow further.",
           "orange, red: hanging workers, see Health below. draining for long: requests that do not end."),
          [Query(f"{total(of_pools('poolwarden_workers'), 'state')} > 0", "{{state}}"),
           Query(total(of_pools("poolwarden_workers_desired")), "wanted"),
           Query(total(of_pools("poolwarden_workers_limit")), "at most")], "short", stacked=True, decimals=0, width=6,
          overrides=[*colored(words.WORKER_STATES), limit_line("wanted", "text"), limit_line("at most")]),
    bars("Failures by diagnosis",
         ("Workers of this pool that ended without being asked to, by what they died of.",
          "These count for rapid-fail protection.",
          "The failures board explains each word."),
         [Query(per_bar(FAILURES, "diagnosis"), "{{diagnosis}}")], width=6,
         overrides=colored(words.DIAGNOSIS_COLORS), nothing="no worker has failed"),
    bars("Starts by reason",
         ("Workers that were started, by reason.",
          "replace follows failures; recycle, scale_up and demand are ordinary.",
          "Many replace: see the failures beside."),
         [Query(per_bar(of_pools("poolwarden_worker_starts_total"), "reason"), "{{reason}}"),
          Query(per_bar(of_pools("poolwarden_worker_start_failures_total"), "reason"), "failed: {{reason}}")],
         width=6, overrides=[*colored(words.START_COLORS), by_pattern("/^failed/", color=fixed("red"))],
         nothing="no worker was started"),
    lines("Startup against its limit",
          ("Nine of ten workers were ready within this time from their start; dashed: ready.timeout.",
           "A worker that is not ready by then is killed, and counts as a failure.",
           "Near the line: raise ready.timeout, or find what the start waits for."),
          [Query(quantile_line(0.9, STARTUP), "p90", optional="no worker was started"),
           limit("poolwarden_pool_startup_timeout_seconds", "ready.timeout")], "s", width=6, calculations=("max",),
          overrides=[limit_line("ready.timeout")], nothing=words.NO_LIMIT),
]

HEALTH_AND_RECYCLING = [
    bars("Recycles by reason",
         ("Workers that were replaced on purpose. deferred: put off or given up, and why.",
          "memory, unhealthy, queue_limit: something leaks or hangs. deferred for start_failed: the replacement did "
          "not come up.",
          "Many for memory: find the leak. Deferred for no_headroom: the machine has no room for one worker more."),
         [Query(per_bar(of_pools("poolwarden_worker_recycles_total"), "reason"), "{{reason}}"),
          Query(per_bar(of_pools("poolwarden_worker_recycles_deferred_total"), "reason"), "deferred: {{reason}}")],
         width=6, height=6, overrides=colored(words.RECYCLE_COLORS), nothing="no worker was recycled"),
    lines("Recycling takes",
          ("From the trigger of a recycle until the old worker is gone: the new one's start, and the old one's "
           "last requests.",
           "A recycle waits for requests in flight without limit, so a long one means a long request.",
           "Minutes: look for requests that do not end, and WebSockets (stop.tunnels)."),
          [Query(quantile_line(share, RECYCLE), f"p{share * 100:.0f}") for share in (0.5, 0.95)], "s",
          width=6, height=6, overrides=QUANTILES, nothing="no worker was recycled"),
    lines("Pings",
          ("How fast workers answer pings, and how many pings there are (right axis).",
           "A worker that does not answer within health.ping.timeout is replaced.",
           "Rising: the worker's event loop or threads are busy; see CPU and pressure."),
          [*(Query(quantile_line(share, PING), f"p{share * 100:.0f}") for share in (0.5, 0.99)),
           Query(f"{total(per_second(of_pools('poolwarden_worker_pings_total')))} > 0", "pings")], "s",
          width=6, height=6, nothing=NO_PINGS,
          overrides=[*QUANTILES, by_name("pings", unit="cps", custom__axisPlacement="right", color=fixed("blue"),
                                         custom__fillOpacity=0)]),
    bars("Unhealthy",
         ("Pings that failed, by reason; stops that needed SIGKILL; forks refused by limits.pids.",
          "timeout: the worker hangs. bad_status: it says itself that it is not well. forced: it ignored "
          "stop.signal.",
          "Read the stacks in its output (health.stack_signal); `poolwarden events` tells which worker."),
         [Query(per_bar(of_pools("poolwarden_worker_ping_failures_total"), "reason"), "ping: {{reason}}"),
          Query(per_bar(of_pools("poolwarden_worker_stops_forced_total"), "reason"), "forced: {{reason}}"),
          Query(per_bar(of_pools("poolwarden_pool_process_limit_hits_total")), "fork refused",
                optional=words.NO_CGROUP)], width=6, height=6, nothing="all are well"),
]

RESOURCES = [
    lines("Memory by replica",
          ("Working set of all workers of the pool in each replica, or their resident memory where they have no "
           "cgroup of their own; dashed: what they may use together (limits.memory), and where the kernel begins to "
           "slow them down (limits.memory_high).",
           "The kernel kills the worker that exceeds its share: diagnosis oom_killed.",
           "Near the line: recycle.over_memory, or a higher limit."),
          [Query(f"{highest(of_pools('poolwarden_pool_memory_working_set_bytes'), 'instance')} or "
                 f"{highest(of_pools('poolwarden_pool_resident_memory_bytes'), 'instance')}", "{{instance}}"),
           limit("poolwarden_pool_memory_limit_bytes"), limit("poolwarden_pool_memory_high_bytes", "high")],
          "bytes", width=6, calculations=("max",), overrides=[limit_line("limit"), limit_line("high", "orange")]),
    lines("CPU by replica",
          ("CPU that the workers use in each replica, 100 % being one CPU; dashed: what they may use together "
           "(limits.cpu).",
           "At the line they are throttled. Needs a cgroup of its own.",
           "More CPU, more replicas, or a profile of what takes so much."),
          [Query(total(per_second(of_pools("poolwarden_pool_cpu_seconds_total")), "instance"), "{{instance}}"),
           limit("poolwarden_pool_cpu_limit_cores")], "percentunit", width=6, calculations=("max",),
          at_least=0.05, overrides=[limit_line("limit")], nothing=words.NO_CGROUP),
    lines("Throttled, and pressure",
          ("Shares of time, worst replica: periods in which limits.cpu was used up; time in which some task waited "
           "for CPU, memory or disk (PSI).",
           "Requests are slow then, though nothing looks busy. Needs a cgroup of its own.",
           "memory above 5 %: it thrashes, an OOM kill is near. cpu: more CPU. io: the disk."),
          [Query(highest(ratio(per_second(of_pools("poolwarden_pool_cpu_throttled_periods_total")),
                               per_second(of_pools("poolwarden_pool_cpu_periods_total")))), "throttled",
                 optional=words.NO_LIMIT),
           Query(highest(per_second(of_pools("poolwarden_pool_pressure_waiting_seconds_total")), "resource"),
                 "waits for {{resource}}", optional="no cgroup v2 with PSI")], "percentunit", width=6, at_least=0.1,
          nothing=words.NO_CGROUP),
    lines("Processes and threads by replica",
          ("Processes and threads of all workers in each replica; dashed: limits.pids of all of them.",
           "At the limit a fork fails, and with it whatever the worker wanted to do. Needs a cgroup of its own.",
           "Near the line: a worker that leaks threads or children, or too low a limit."),
          [by_replica("poolwarden_pool_processes"), limit("poolwarden_pool_processes_limit")], "short", width=6,
          calculations=("max",), overrides=[limit_line("limit")], decimals=0, nothing=words.NO_CGROUP),
]

MORE = [
    lines("Requests in flight by replica",
          ("Requests that workers are busy with, in each replica.",
           "`concurrency` times the workers is the most that there can be; what comes beyond waits in the queue.",
           "One replica far above the others: the balancer is unfair, or its workers are slower."),
          [by_replica("poolwarden_http_requests_in_flight")], "short", width=6, decimals=0, nothing=words.NO_HTTP),
    lines("Had to wait",
          ("The share of requests that found no free worker and waited in the queue.",
           "It rises before the latency does: the first sign of missing capacity.",
           "Above some percent for long: more workers, more `concurrency`, or more replicas."),
          [Query(ratio(total(per_second(of_pools("poolwarden_queue_enqueued_total")), "instance"),
                       total(per_second(REQUESTS), "instance")), "{{instance}}")], "percentunit", width=6,
          at_least=0.1, nothing="no traffic"),
    lines("In service",
          ("The share of time for which the pool was in service, in each replica.",
           "This is the availability that the pool itself had, whatever clients saw.",
           "Gaps: see the timeline above for what the pool was then."),
          [Query(highest(per_second(of_pools("poolwarden_pool_uptime_seconds_total")), "instance"), "{{instance}}")],
          "percentunit", width=6, high=1.05),
    lines("Throttled time",
          ("The share of time for which the pool was throttled, in each replica; all its workers together, so it can "
           "be above 100 %.",
           "So much longer took what could have been done at once. Needs a cgroup of its own.",
           "Raise limits.cpu, or use more workers."),
          [Query(highest(per_second(of_pools("poolwarden_pool_cpu_throttled_seconds_total")), "instance"),
                 "{{instance}}")], "percentunit", width=6, at_least=0.1, nothing=words.NO_CGROUP),
    lines("Resident memory by replica",
          ("Resident memory of all workers as /proc tells it; shared pages count once for each worker.",
           "It is there without a cgroup of its own.",
           "A steady rise is a leak: recycle.after_time or after_requests until it is found."),
          [by_replica("poolwarden_pool_resident_memory_bytes")], "bytes", width=6),
    lines("Memory of what kind",
          ("Heaps and stacks (anonymous), swap, and everything charged to the cgroup, all replicas; dashed: the "
           "highest so far.",
           "Page cache is what is charged beyond the anonymous part; the kernel takes it back when it must.",
           "Swap in use: the limit is too low, or a leak was paged out."),
          [Query(total(of_pools(f"poolwarden_pool_memory_{kind}_bytes")), legend) for kind, legend in
           (("usage", "charged"), ("anon", "anonymous"), ("swap", "swap"), ("peak", "peak"))], "bytes", width=6,
          overrides=[limit_line("peak", "orange")], nothing=words.NO_CGROUP),
    lines("Descriptors: fullest worker",
          ("Open descriptors of the worker that is nearest to its own limit, in each replica.",
           "At 100 % it can accept no connection and open no file.",
           "A steady rise is a leak; else raise limits.open_files."),
          [by_replica("poolwarden_pool_worst_fd_ratio")], "percentunit", width=6,
          thresholds=steps("transparent", (1, "red")), at_least=1.05),
    lines("Descriptors and threads",
          ("Open descriptors and threads of all workers, all replicas.",
           "Their rise over days shows leaks that no limit has met yet.",
           "Compare with the requests: they should rise and fall together."),
          [Query(total(of_pools("poolwarden_pool_open_fds")), "descriptors"),
           Query(total(of_pools("poolwarden_pool_threads")), "threads")], "short", width=6),
    bars("Memory events",
         ("What the kernel had to do about memory: high: slowed down; max: took memory back at the limit; oom_kill: "
          "killed a process.",
          "oom_kill is a crash; max again and again is thrashing.",
          "Raise limits.memory, or find the leak."),
         [Query(per_bar(of_pools("poolwarden_pool_memory_events_total"), "event"), "{{event}}")], width=6,
         nothing="no memory event"),
    lines("Stalled",
          ("The share of time in which all tasks of the pool waited for a resource (PSI full), worst replica.",
           "Nothing at all got done in that time. Needs cgroup v2 and PSI.",
           "memory: thrashing. io: the disk is too slow."),
          [Query(highest(per_second(of_pools("poolwarden_pool_pressure_stalled_seconds_total")), "resource"),
                 "{{resource}}")], "percentunit", width=6, at_least=0.1, nothing="no cgroup v2 with PSI"),
    lines("Disk",
          ("Bytes read from and written to block devices, all replicas.",
           "Much reading with much memory pressure is thrashing. Needs a cgroup of its own.",
           "Find out who writes: logs, temporary files, core files."),
          [Query(total(per_second(of_pools("poolwarden_pool_io_read_bytes_total"))), "read"),
           Query(total(per_second(of_pools("poolwarden_pool_io_written_bytes_total"))), "written")], "Bps", width=6,
          nothing="no cgroup with io"),
    lines("Network of clients",
          ("Bytes received from and sent to clients, and open WebSockets (right axis).",
           "Large answers explain latency that no worker causes.",
           "Compare with the requests each second."),
          [Query(total(per_second(of_pools("poolwarden_http_received_bytes_total"))), "received"),
           Query(total(per_second(of_pools("poolwarden_http_sent_bytes_total"))), "sent"),
           Query(total(of_pools("poolwarden_websockets_in_flight")), "WebSockets")], "Bps", width=6,
          overrides=[by_name("WebSockets", unit="short", custom__axisPlacement="right")], nothing=words.NO_HTTP),
]


def _setting(metric, why=None):
    return Query(highest(of_pools(metric), "instance"), instant=True, table=True, optional=why)


AGE = f"time() - {of_pools('poolwarden_worker_oldest_start_timestamp_seconds')}"
SETTINGS = [
    table("Each replica: configuration and age",
          ("What is configured for this pool in each replica, whether its limits can be enforced there, and how old "
           "its oldest worker is.",
           "Replicas that differ are a deploy that is half done. Limits that are not enforced protect nobody.",
           "Reload or redeploy the replica that differs; for limits grant the container a writable cgroup."),
          [_setting("poolwarden_pool_limits_enforced"),
           _setting("poolwarden_workers_min"), _setting("poolwarden_workers_limit"),
           _setting("poolwarden_queue_limit", words.NO_HTTP),
           _setting("poolwarden_pool_startup_timeout_seconds", words.NO_LIMIT),
           _setting("poolwarden_pool_shutdown_timeout_seconds", words.NO_LIMIT),
           _setting("poolwarden_pool_request_timeout_seconds", words.NO_LIMIT),
           _setting("poolwarden_pool_rapid_fail_max_failures", "protection is off"),
           _setting("poolwarden_pool_rapid_fail_interval_seconds", "protection is off"),
           Query(highest(AGE, "instance"), instant=True, table=True, optional="no worker runs"),
           Query(f"1 - {highest(of_pools('poolwarden_pool_rapid_fail_enabled'), 'instance')}",
                 instant=True, table=True),
           _setting("poolwarden_pool_backoff_seconds"),
           Query(f"{highest(of_pools('poolwarden_pool_start_timestamp_seconds'), 'instance')} * 1000",
                 instant=True, table=True, optional="never in service"),
           Query(f"{highest(of_pools('poolwarden_pool_last_state_change_timestamp_seconds'), 'instance')} * 1000",
                 instant=True, table=True)],
          {"instance": "Replica", "Value #A": "Limits", "Value #B": "Least", "Value #C": "Most",
           "Value #D": "Queue", "Value #E": "Ready within", "Value #F": "Stop within",
           "Value #G": "Request within", "Value #K": "Protection", "Value #H": "Failures", "Value #I": "in",
           "Value #L": "Start delay", "Value #J": "Oldest worker", "Value #M": "In service since",
           "Value #N": "State since"},
          width=24, height=6, overrides=[
              by_name("Limits", mappings=mapping({0: ("not enforced", "orange"), 1: ("enforced", "green")}),
                      custom__cellOptions={"type": "color-text"}),
              by_name("Protection", mappings=mapping({0: ("on", None), 1: ("off", "orange")}),
                      custom__cellOptions={"type": "color-text"}),
              by_pattern("/within|^in$|delay|Oldest/", unit="s"),
              by_pattern("/since/", unit="dateTimeFromNow", custom__width=135),
              by_pattern("/^(Least|Most|Queue|Failures|in)$/", custom__width=75),
              by_pattern("/Least|Most|Failures|Queue/", unit="short", decimals=0)]),
]

BOARD = Board(
    "poolwarden-pool", "Poolwarden / Pool",
    "One pool: what is wrong with it, and in which replica?",
    [Row("", HEALTH), Row("Requests: what users see", USERS), Row("Queue: each replica has its own", QUEUE),
     Row("Workers", WORKERS), Row("Health and recycling", HEALTH_AND_RECYCLING),
     Row("Resources: dashed lines are limits", RESOURCES), Row("Configuration", SETTINGS),
     Row("More: capacity and resources", MORE, collapsed=True)], pools="one")
