"""Overview: is every pool well, and if not, which one?"""

from . import words
from .board import Board, Row
from .panels import (QUANTILES, STATUS_CODES, Query, bars, by_name, by_pattern, colored, limit_line, lines, link,
                     mapping, special, stat, steps, table, timeline)
from .promql import (DURATION, ERRORS, FAILURES, REQUESTS, closest_to_trip, highest, in_range, of_pools,
                     out_of_service, per_bar, per_second, pool_state, quantile, quantile_line, ratio,
                     ready_workers, total)

FAILURES_BOARD = link("What failed", "poolwarden-failures", "${pool:queryparam}")
NO_TRAFFIC = special("null+nan", "no traffic")

HEALTH = [
    stat("Out of service",
         ("Pools that are out of service now, each counted in every replica where it is: by rapid-fail protection, "
          "because its workers cannot start, or because its configuration is wrong. An operator's `stop` is not "
          "counted.",
          "Their clients get 503 at once.",
          "Open the failures board: it says what the workers died of. Cure that, then `poolwarden start POOL`."),
         [Query(out_of_service(), instant=True)], "short", steps("green", (1, "red")), links=[FAILURES_BOARD]),
    stat("Rapid-fail used",
         ("The share of the allowed failures that the pool nearest to its limit has used, in its worst replica.",
          "At 100 % rapid-fail protection takes that pool out of service in that replica.",
          "From 60 % on: look at the failures board now, and take back the last deploy if it began then."),
         [Query(closest_to_trip(), instant=True)], "percentunit",
         steps("green", (0.4, "yellow"), (0.6, "orange"), (1, "red")), links=[FAILURES_BOARD],
         nothing="protection is off", decimals=0),
    stat("Workers missing",
         ("How many workers the pools want and do not have ready. A suspended worker counts as ready.",
          "For a moment this is normal after a crash; for minutes it is lost capacity.",
          "Find the pool in the table; look at its starts and start failures on the pool board."),
         [Query(total(f"clamp_min({of_pools('poolwarden_workers_desired')} - on (job, instance, pool) "
                      f"{ready_workers('job', 'instance', 'pool')}, 0)"), instant=True)],
         "short", steps("green", (1, "orange"))),
    stat("Requests",
         ("Requests answered each second, the gateway's own answers included.",
          "A sudden fall says that clients, the balancer or a listener have gone; a rise explains queues.",
          "Compare with the same time yesterday before you look for a fault."),
         [Query(total(per_second(REQUESTS)), instant=True)], "reqps", size=28),
    stat("Errors",
         ("The share of requests that ended with 5xx, the gateway's own 502, 503 and 504 included.",
          "This is what users feel.",
          "By code below, by reason on the pool board."),
         [Query(f"{total(per_second(ERRORS))} / {total(per_second(REQUESTS))}", instant=True)], "percentunit",
         steps("green", (0.001, "yellow"), (0.01, "red")), mappings=NO_TRAFFIC),
    stat("Latency, p95",
         ("95 of 100 requests took less: from their arrival to the last byte of the answer, queue included.",
          "It rises with slow workers and with waiting in the queue.",
          "Compare it with the wait in the queue below; the pool board shows the workers' own share."),
         [Query(quantile(0.95, DURATION), instant=True)], "s", mappings=NO_TRAFFIC),
    stat("Turned away",
         ("Requests each second that were refused before they reached a worker.",
          "Queue full or waited too long: too little capacity. Pool disabled: see the first number.",
          "Look at the reasons in row Queue."),
         [Query(total(per_second(of_pools("poolwarden_queue_rejected_total"))), instant=True)], "reqps",
         steps("green", (0.001, "orange"), (1, "red")), size=28),
    stat("Lost by us",
         ("Requests in the time range that a recycle, a reload or a shutdown cost. Requests lost to a crash of their "
          "own worker are not meant: see the pool board.",
          "Poolwarden promises 0.",
          "Anything else is a defect of Poolwarden, or a stop.drain that is too short for a shutdown: compare "
          "with the times of reloads and restarts."),
         [Query(in_range(of_pools("poolwarden_http_requests_lost_total", 'cause!="worker_died"')), instant=True)],
         "short", steps("green", (0.5, "red")), decimals=0),
    timeline("Pools",
             ("Each pool over time, as the worst of its replicas has it.",
              "One look tells which pool, since when, and whether one replica or all. Dashed lines are rapid-fail "
              "trips (red), reloads (blue) and starts of supervisors (grey).",
              "Click a pool in the table below for its board, which shows each replica."),
             [Query(pool_state("pool"), "{{pool}}")], words.POOL_STATES, width=24, height=8),
    table("Pools now",
          ("All pools as they are now. Queue, rapid-fail and memory are those of the worst replica, for each replica "
           "has its own; all else is summed up.",
           "Sorted so that the pools with the most failures in the time range come first.",
           "Click the pool for its board."),
          [Query(pool_state("pool"), instant=True, table=True),
           Query(out_of_service("pool"), instant=True, table=True),
           Query(ready_workers("pool"), instant=True, table=True),
           Query(total(of_pools("poolwarden_workers_desired"), "pool"), instant=True, table=True),
           Query(total(per_second(REQUESTS), "pool"), instant=True, table=True),
           Query(ratio(total(per_second(ERRORS), "pool"), total(per_second(REQUESTS), "pool")),
                 instant=True, table=True, optional="no traffic"),
           Query(f"{quantile(0.95, DURATION, 'pool')} >= 0", instant=True, table=True, optional="no traffic"),
           Query(highest(f"{of_pools('poolwarden_queue_length')} / {of_pools('poolwarden_queue_limit')}", "pool"),
                 instant=True, table=True),
           Query(highest(f"{of_pools('poolwarden_pool_memory_working_set_bytes')} / "
                         f"{of_pools('poolwarden_pool_memory_limit_bytes')}", "pool"),
                 instant=True, table=True, optional=f"{words.NO_CGROUP}, or {words.NO_LIMIT}"),
           Query(closest_to_trip("pool"), instant=True, table=True, optional="protection is off"),
           Query(in_range(FAILURES, "pool"), instant=True, table=True),
           Query(highest(
               f"topk by (pool) (1, {of_pools('poolwarden_worker_last_failure_timestamp_seconds')} "
               "* on (job, instance, pool) group_left (diagnosis) "
               f"{of_pools('poolwarden_worker_last_failure_info')})", "pool", "diagnosis") + " * 1000",
               instant=True, table=True, optional="no worker has failed")],
          {"pool": "Pool", "Value #A": "State", "Value #B": "Out of service", "Value #C": "Ready",
           "Value #D": "Wanted", "Value #E": "Requests", "Value #F": "Errors", "Value #G": "p95",
           "Value #H": "Queue", "Value #I": "Memory", "Value #J": "Rapid-fail", "Value #K": "Failures",
           "diagnosis": "Last failure", "Value #L": "When"},
          sort="Failures", width=24, height=9, overrides=[
              by_name("Pool", links=[link("Board of ${__value.raw}", "poolwarden-pool", "var-pool=${__value.raw}")],
                      custom__width=130),
              by_name("State", mappings=mapping(words.POOL_STATES), custom__width=230, custom__align="center",
                      custom__cellOptions={"type": "color-background", "mode": "basic"}),
              by_name("Out of service", unit="short", custom__width=110, thresholds=steps("text", (1, "red")),
                      custom__cellOptions={"type": "color-text"}),
              by_pattern("/^(Ready|Wanted)$/", unit="short", decimals=0, custom__width=75),
              by_name("Requests", unit="reqps", custom__width=110),
              by_name("Errors", unit="percentunit", custom__width=85,
                      thresholds=steps("text", (0.001, "yellow"), (0.01, "red")),
                      custom__cellOptions={"type": "color-text"}),
              by_name("p95", unit="s", custom__width=90),
              by_pattern("/^(Queue|Memory)$/", unit="percentunit", decimals=0,
                         thresholds=steps("text", (0.8, "orange"), (0.95, "red")),
                         custom__cellOptions={"type": "color-text"}, custom__width=85),
              by_name("Rapid-fail", unit="percentunit", decimals=0, custom__width=95,
                      thresholds=steps("text", (0.6, "orange"), (1, "red")),
                      custom__cellOptions={"type": "color-text"}),
              by_name("Failures", unit="short", decimals=0, custom__width=85,
                      custom__cellOptions={"type": "color-text"}, thresholds=steps("text", (0.5, "orange"))),
              by_name("Last failure", custom__width=145),
              by_name("When", unit="dateTimeFromNow", custom__width=140)]),
]

USERS = [
    lines("Requests by code",
          ("Requests each second, by status code. Green 2xx, blue 3xx, yellow 4xx, red 5xx.",
           "502: a worker died under a request. 503: refused by the queue, or the pool is out of service. 504: "
           "health.request_timeout.",
           "Click through to the pool board for the reasons."),
          [Query(f"{total(per_second(REQUESTS), 'code')} > 0", "{{code}}")], "reqps", stacked=True,
          overrides=STATUS_CODES, nothing="no traffic"),
    lines("Latency",
          ("How long requests took, from their arrival to the last byte of the answer.",
           "p50 is the ordinary request, p99 the one that users complain about.",
           "p99 alone: single slow requests or restarts. All three: workers, or the queue."),
          [Query(quantile_line(share, DURATION), f"p{share * 100:.0f}") for share in (0.5, 0.95, 0.99)], "s",
          overrides=QUANTILES, calculations=("lastNotNull", "max"), nothing="no traffic"),
    lines("Errors by pool",
          ("The share of each pool's requests that ended with 5xx; the dashed line is an objective of 99.9 %.",
           "Above the line the error budget shrinks faster than it should.",
           "Click the pool in the table above."),
          [Query(ratio(total(per_second(ERRORS), "pool"), total(per_second(REQUESTS), "pool")), "{{pool}}")],
          "percentunit", thresholds=steps("transparent", (0.001, "red")), at_least=0.002, nothing="no traffic"),
]

QUEUE = [
    lines("Queue, fullest replica",
          ("How much of its limit (queue.limit) the fullest queue of each pool uses. Each replica has its own queue.",
           "At 100 % (dashed) requests are answered with 503, queue_full.",
           "More workers or replicas, or find out why requests take longer: compare with the latency."),
          [Query(highest(f"{of_pools('poolwarden_queue_length')} / {of_pools('poolwarden_queue_limit')}", "pool"),
                 "{{pool}}")], "percentunit", thresholds=steps("transparent", (1, "red")), at_least=1.05),
    lines("Wait in the queue, p95",
          ("How long requests waited that did have to wait, and then got a worker.",
           "This is time that a client loses to missing capacity alone.",
           "Above a second for minutes: scale up; if one replica is meant, look at its workers."),
          [Query(quantile_line(0.95, of_pools("poolwarden_queue_wait_seconds_bucket"), "pool"), "{{pool}}")],
          "s", nothing="no request had to wait"),
    bars("Turned away, by reason",
         ("Requests that were refused before they reached a worker.",
          "full and timeout: too little capacity. pool_disabled: rapid-fail or a start failure. shutdown: a client "
          "came to a replica that was ending.",
          "For full and timeout scale up; for pool_disabled open the failures board."),
         [Query(per_bar(of_pools("poolwarden_queue_rejected_total"), "reason"), "{{reason}}")],
         overrides=colored(words.REJECTION_COLORS), nothing="no request was turned away"),
]

WORKERS = [
    lines("Workers by state",
          ("All worker processes of all replicas by state; the dashed line is how many the pools want.",
           "A gap below the line is lost capacity; orange and red are workers that hang.",
           "draining for long: requests that do not end. starting for long: see the startup time on the pool board."),
          [Query(f"{total(of_pools('poolwarden_workers'), 'state')} > 0", "{{state}}"),
           Query(total(of_pools("poolwarden_workers_desired")), "wanted")], "short", stacked=True, decimals=0,
          overrides=[*colored(words.WORKER_STATES), limit_line("wanted", "text")]),
    bars("Failures by diagnosis",
         ("Workers that ended without being asked to, by what they died of.",
          "These are the failures that rapid-fail protection counts.",
          "The failures board explains each word and what to do."),
         [Query(per_bar(FAILURES, "diagnosis"), "{{diagnosis}}")],
         overrides=colored(words.DIAGNOSIS_COLORS), nothing="no worker has failed"),
    bars("Recycles by reason",
         ("Workers that were replaced on purpose, by reason.",
          "memory, unhealthy and queue_limit are symptoms: something leaks or hangs.",
          "Many for memory: find the leak, or give the workers more. Losing nothing, they are no emergency."),
         [Query(per_bar(of_pools("poolwarden_worker_recycles_total"), "reason"), "{{reason}}")],
         overrides=colored(words.RECYCLE_COLORS), nothing="no worker was recycled"),
]

RESOURCES = [
    lines("Memory, fullest replica",
          ("Working set as a share of the pool's memory limit, in the replica where it is highest.",
           "At 100 % (dashed) the kernel kills workers: diagnosis oom_killed. Only with a cgroup of its own and "
           "limits.memory.",
           "Recycle by memory before that (recycle.over_memory), or find the leak."),
          [Query(highest(f"{of_pools('poolwarden_pool_memory_working_set_bytes')} / "
                         f"{of_pools('poolwarden_pool_memory_limit_bytes')}", "pool"), "{{pool}}")],
          "percentunit", thresholds=steps("transparent", (1, "red")), at_least=1.05,
          nothing=f"{words.NO_CGROUP}, or {words.NO_LIMIT}"),
    lines("CPU",
          ("CPU that the workers of each pool use, all replicas together; 100 % is one CPU.",
           "It shows who needs the machines.",
           "At its limit a pool is throttled: see the next panel. Only with a cgroup of its own."),
          [Query(total(per_second(of_pools("poolwarden_pool_cpu_seconds_total")), "pool"), "{{pool}}")],
          "percentunit", at_least=0.05, nothing=words.NO_CGROUP),
    lines("CPU throttled, worst replica",
          ("The share of scheduling periods in which a worker of the pool had used up limits.cpu and had to wait.",
           "Throttling makes requests slow while the machine is idle.",
           "Above 25 % for long: raise limits.cpu, or add workers. Only with a cgroup of its own and a limit."),
          [Query(highest(ratio(per_second(of_pools("poolwarden_pool_cpu_throttled_periods_total")),
                               per_second(of_pools("poolwarden_pool_cpu_periods_total"))), "pool"), "{{pool}}")],
          "percentunit", thresholds=steps("transparent", (0.25, "orange")), at_least=0.3,
          nothing=f"{words.NO_CGROUP}, or {words.NO_LIMIT}"),
]

BOARD = Board(
    "poolwarden-overview", "Poolwarden / Overview",
    "Is every pool well, and if not, which one? Click a pool in the table for its own board.",
    [Row("", HEALTH), Row("Requests: what users see", USERS), Row("Queue: each replica has its own", QUEUE),
     Row("Workers", WORKERS), Row("Resources", RESOURCES)])

