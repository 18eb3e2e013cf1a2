"""Worker failures and exit codes: what did they die of, since when, and what to do?"""

from . import words
from .board import Board, Row
from .panels import (Query, bars, by_name, by_pattern, colored, fixed, heatmap, lines, link, mapping, otherwise,
                     stat, steps, table, text)
from .promql import (FAILURES, closest_to_trip, highest, in_range, of_pools, of_program, out_of_service, per_bar,
                     per_cell)

POOL_BOARD = link("Board of this pool", "poolwarden-pool", "${pool:queryparam}")
TO_POOL = by_name("Pool", links=[link("Board of ${__value.raw}", "poolwarden-pool", "var-pool=${__value.raw}")],
                  custom__width=140)


def counted(title, telling, metric, color="red", *matchers):
    """How many in the time range."""
    return stat(title, telling, [Query(in_range(of_pools(metric, *matchers)), instant=True)], "short",
                steps("green", (0.5, color)), decimals=0)


SUMMARY = [
    stat("Out of service",
         ("Pools that are out of service now, each counted in every replica where it is.",
          "Their clients get 503 at once.",
          "Cure what the panels below show, then `poolwarden start POOL`."),
         [Query(out_of_service(), instant=True)], "short", steps("green", (1, "red")), links=[POOL_BOARD]),
    counted("Rapid-fail trips",
            ("How often rapid-fail protection took a pool out of service in the time range.",
             "Several trips mean that somebody starts it again without a cure.",
             "Do not raise rapid_fail.failures: cure the cause."),
            "poolwarden_pool_rapid_fail_trips_total"),
    counted("Failures",
            ("Workers that ended without being asked to, in the time range.",
             "These are what rapid-fail protection counts.",
             "The bars below say what of."),
            "poolwarden_worker_failures_total", "orange"),
    counted("Start failures",
            ("Workers that never became ready, in the time range.",
             "If they go on, the pool loses capacity with each restart.",
             "The reasons are below."),
            "poolwarden_worker_start_failures_total", "orange"),
    counted("Killed for memory",
            ("Processes that the kernel's OOM killer struck in the workers' cgroups, in the time range.",
             "A leak, or a limit that is too low.",
             "Compare with the memory peak below."),
            "poolwarden_pool_memory_events_total", "red", 'event="oom_kill"'),
    counted("Core dumps",
            ("Workers that left a core file, in the time range.",
             "A core file says where it crashed.",
             "Open it in gdb. Crashes without one: set limits.core."),
            "poolwarden_worker_core_dumps_total", "orange"),
    counted("Killed by us",
            ("Workers that did not stop within stop.timeout and were killed, in the time range.",
             "What they were busy with is cut off.",
             "Let the worker react to stop.signal, or raise stop.timeout."),
            "poolwarden_worker_shutdown_timeouts_total", "orange"),
    stat("Last failure",
         ("When a worker last failed.",
          "It tells whether the trouble goes on.",
          "The table below says what it was."),
         [Query(highest(of_pools("poolwarden_worker_last_failure_timestamp_seconds")) + " * 1000", instant=True)],
         "dateTimeFromNow", size=22, nothing="never"),
]

WHAT = [
    bars("Failures by diagnosis",
         ("Workers that ended without being asked to, by what they died of; the words are explained at the end.",
          "One word since a deploy: that deploy. Many words at once: the machine.",
          "Look up the word in the table at the end of this board."),
         [Query(per_bar(FAILURES, "diagnosis"), "{{diagnosis}}")], width=9,
         overrides=colored(words.DIAGNOSIS_COLORS), nothing="no worker has failed"),
    bars("Failures by pool and replica",
         ("The same failures, by where they happened.",
          "One replica: its machine or its load. One pool everywhere: its program.",
          "Open the board of that pool."),
         [Query(per_bar(FAILURES, "pool", "instance"), "{{pool}} · {{instance}}")], width=8, side="right",
         nothing="no worker has failed"),
    lines("Rapid-fail window",
          ("Failures in the window as a share of those allowed, in the worst replica of each pool.",
           "At 100 % (dashed) protection takes the pool out of service in that replica.",
           "The window slides: what happened longer than rapid_fail.within ago counts no more."),
          [Query(closest_to_trip("pool"), "{{pool}}")], "percentunit", width=7,
          thresholds=steps("transparent", (1, "red")), at_least=1.05, nothing="protection is off"),
]

LAST = (f"{of_pools('poolwarden_worker_last_failure_timestamp_seconds')} * ignoring (diagnosis, exit_code, signal) "
        "group_left (diagnosis, exit_code, signal) "
        f"{of_pools('poolwarden_worker_last_failure_info')} * 1000")
MEANING = 'label_replace({0}, "meaning", "$1", "{1}", "(.*)")'


def ends(counter, label, *more):
    """Ends in the time range, with a copy of the label to be mapped to its meaning."""
    return MEANING.format(f"round({in_range(counter, 'pool', label, *more)}) > 0", label)


def meanings(texts, harmless):
    """The meaning of each word; all that are not harmless stand out."""
    named = {word: (meaning, None if word in harmless else words.ORANGE) for word, meaning in texts.items()}
    return by_name("Meaning", custom__cellOptions={"type": "color-text"},
                   mappings=mapping(named) + otherwise("what it means, its own documentation says", words.ORANGE))


DETAILS = [
    table("Last failure of each pool in each replica",
          ("What the worker died of that failed last, in each pool and replica.",
           "The same words stand in the log and in `poolwarden status`, with the last output of the worker.",
           "`poolwarden events --pool POOL` in that replica tells the whole story."),
          [Query(LAST, instant=True, table=True)],
          {"pool": "Pool", "instance": "Replica", "diagnosis": "Diagnosis", "exit_code": "Exit code",
           "signal": "Signal", "Value": "When"},
          sort="When", width=24, height=6, nothing="no worker has failed", overrides=[
              TO_POOL, by_name("When", unit="dateTimeFromNow", custom__width=220),
              by_name("Diagnosis", color={"mode": "fixed", "fixedColor": "orange"},
                      custom__cellOptions={"type": "color-text"}),
              by_pattern("/^(Exit code|Signal)$/", noValue=" ")]),
    table("Exit codes",
          ("How workers ended by themselves in the time range: after they were asked to (mostly 0), or not.",
           "The code is the worker's own word; 126 and above are often that of a shell around it.",
           "0 among the failures: a worker that goes into the background. Use a list as `command` to get rid of a "
           "shell between."),
          [Query(ends(of_pools("poolwarden_worker_exit_codes_total"), "exit_code"), instant=True, table=True)],
          {"pool": "Pool", "exit_code": "Code", "meaning": "Meaning", "Value": "Ends"},
          sort="Ends", width=12, height=8, unit="short", nothing="no worker has exited by itself", overrides=[
              TO_POOL, meanings(words.EXIT_CODES, {"0"}), by_name("Code", custom__width=60),
              by_name("Ends", custom__width=65, decimals=0)]),
    table("Signals",
          ("Which signals ended workers in the time range, and whether a core file was left.",
           "SIGTERM is how a recycle ends a worker that does not handle it; the others are crashes or kills.",
           "SIGKILL: see Killed for memory and Killed by us above; if both are 0, poolwarden did not send it."),
          [Query(ends(of_pools("poolwarden_worker_exit_signals_total"), "signal", "core"), instant=True, table=True)],
          {"pool": "Pool", "signal": "Signal", "core": "Core", "meaning": "Meaning", "Value": "Ends"},
          sort="Ends", width=12, height=8, unit="short", nothing="no worker was ended by a signal", overrides=[
              TO_POOL, meanings(words.SIGNALS, {"SIGTERM"}), by_name("Core", custom__width=60),
              by_name("Signal", custom__width=85), by_name("Ends", custom__width=65, decimals=0)]),
]

LIVES = [
    bars("Ends by reason",
         ("All ends of workers by what had been asked of them; failure: nothing had.",
          "Its share of the whole is the share of ends that nobody wanted.",
          "Only failure needs a cure; the others are Poolwarden at work."),
         [Query(per_bar(of_pools("poolwarden_worker_exits_total"), "reason"), "{{reason}}")], width=6,
         overrides=colored(words.END_COLORS), nothing="no worker has ended"),
    heatmap("Age at the end",
            ("How old workers were when they ended, for whatever reason.",
             "Seconds: they die at start, or of the first request. Always the same age: a leak, a timer, or "
             "recycle.after_time.",
             "Compare with the memory beside."),
            Query(per_cell(of_pools("poolwarden_worker_lifetime_seconds_bucket")), "{{le}}", buckets=True),
            width=6, scheme="Reds", nothing="no worker has ended"),
    bars("Start failures by reason",
         ("Workers that never became ready, by where they failed.",
          "exec_not_found, exec_permission, identity, chdir: trying again cannot help. exited_early, "
          "startup_timeout: the worker's own start.",
          "Correct `command`, `identity` or `directory`; or read the worker's output."),
         [Query(per_bar(of_pools("poolwarden_worker_start_failures_total"), "reason"), "{{reason}}")], width=6,
         nothing="every worker came up"),
    bars("Killed, by reason",
         ("Workers that were killed, by what they had failed to do.",
          "ping_timeout, deadlock, request_timeout: it hung. shutdown_timeout: it did not stop in time.",
          "Read the stacks that it wrote at health.stack_signal."),
         [Query(per_bar(of_pools("poolwarden_worker_stops_forced_total"), "reason"), "{{reason}}")], width=6,
         nothing="no worker was killed"),
]

AROUND = [
    lines("Memory peak, fullest replica",
          ("The highest memory use of each pool so far as a share of its limit, in the replica where it is highest.",
           "At 100 % (dashed) the OOM killer strikes. Needs a cgroup of its own and limits.memory.",
           "A saw-tooth is recycling at work; a line at 100 % is a leak."),
          [Query(highest(f"{of_pools('poolwarden_pool_memory_peak_bytes')} / "
                         f"{of_pools('poolwarden_pool_memory_limit_bytes')}", "pool"), "{{pool}}")],
          "percentunit", width=6, thresholds=steps("transparent", (1, "red")), at_least=1.05,
          nothing=f"{words.NO_CGROUP}, or {words.NO_LIMIT}"),
    bars("Killed for memory",
         ("Processes that the kernel's OOM killer struck in the workers' cgroups.",
          "Only that worker dies, and it counts as a failure: oom_killed.",
          "Recycle by memory before it comes to this (recycle.over_memory), or find the leak."),
         [Query(per_bar(of_pools("poolwarden_pool_memory_events_total", 'event="oom_kill"'), "pool"), "{{pool}}")],
         width=6, nothing="nothing was killed"),
    lines("Delay of the next start",
          ("How long Poolwarden waits before it starts the next worker after failures; the longest of all replicas.",
           "It doubles with each failure, so that a crash loop does not eat the machine.",
           "It ends by itself when workers stay up."),
          [Query(highest(of_pools("poolwarden_pool_backoff_seconds"), "pool"), "{{pool}}")],
          "s", width=6, at_least=1),
    bars("Actions and warnings",
         ("Warnings and errors among the events of all pools, and configured actions (rapid_fail.action, "
          "orphan.action): runs and failures.",
          "An action that fails is an alarm that nobody got.",
          "`poolwarden events` shows them with their text."),
         [Query(per_bar(of_program("poolwarden_events_total", 'level!="info"'), "level"), "{{level}}s"),
          Query(per_bar(of_pools("poolwarden_hook_runs_total"), "hook"), "{{hook}}"),
          Query(per_bar(of_pools("poolwarden_hook_failures_total"), "hook"), "failed: {{hook}}")], width=6,
         overrides=[*colored({"warnings": "yellow", "errors": "red"}),
                    by_pattern("/^failed/", color=fixed("purple"))],
         nothing="no warning, no action"),
]


def _runbooks():
    """The diagnosis words as a table, and where to read on."""
    rows = [f"| `{word}` | {happened} | {do} | [{alert.removeprefix('Poolwarden')}]({words.runbook(alert)}) |"
            for word, (happened, do, alert) in words.DIAGNOSES.items()]
    return "\n".join(["| diagnosis | what happened | first step | runbook |", "|---|---|---|---|", *rows])


BOARD = Board(
    "poolwarden-failures", "Poolwarden / Failures",
    "What did workers die of, since when, and what to do?",
    [Row("", SUMMARY), Row("What they died of", WHAT), Row("Exit codes and signals", DETAILS),
     Row("Lives of workers", LIVES), Row("Around it", AROUND),
     Row("What the words mean", [
         text("Diagnoses and runbooks",
              ("All words that a failure can have: the same in metrics, events, the log and `poolwarden status`.",
               "Each needs another cure.",
               "Follow the link in the last column."), _runbooks(), width=24, height=25)])])
