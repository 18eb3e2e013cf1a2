"""PromQL as the boards write it: selectors that follow the variables, rates, quantiles.

Metrics are joined by all labels that they share, never on (job, instance): the same instance may be there in
two namespaces."""

EVERY = 'job=~"$job", instance=~"$instance"'
EVERY_POOL = EVERY + ', pool=~"$pool"'
# Workers that can take a request: a suspended one is woken by it.
READY = 'state=~"idle|busy|suspended"'
# `stop` of an operator is no failure; all other reasons are.
OUT_OF_SERVICE = 'reason!="admin"'


def of_pools(metric, *matchers):
    """Series of the chosen pools."""
    return f"{metric}{{{', '.join([EVERY_POOL, *matchers])}}}"


def of_program(metric, *matchers):
    """Series of the chosen instances that belong to no pool."""
    return f"{metric}{{{', '.join([EVERY, *matchers])}}}"


REQUESTS = of_pools("poolwarden_http_requests_total")
ERRORS = of_pools("poolwarden_http_requests_total", 'code=~"5.."')
DURATION = of_pools("poolwarden_http_request_duration_seconds_bucket")
FAILURES = of_pools("poolwarden_worker_failures_total")


def total(expression, *labels):
    return f"sum{_by(labels)} ({expression})"


def highest(expression, *labels):
    return f"max{_by(labels)} ({expression})"


def lowest(expression, *labels):
    return f"min{_by(labels)} ({expression})"


def per_second(counter):
    return f"rate({counter}[$__rate_interval])"


def per_bar(counter, *labels):
    """How often in each step. increase() would count the scrape that two windows share twice.

    Only what happened in the time range of the board at all, so the legend names nothing else.
    """
    happened = total(f"increase({counter}[$__range] @ end())", *labels)
    which = f" on ({', '.join(labels)})"
    return f"{total(per_second(counter), *labels)} * $__interval_ms / 1000 and{which} {happened} > 0"


def in_range(counter, *labels):
    """How often in the time range of the board."""
    return total(f"increase({counter}[$__range])", *labels)


def per_cell(buckets):
    """The counts of a histogram in each step, for a heatmap; nothing where all of them are 0."""
    happened = total(f"increase({buckets}[$__range] @ end())")
    return f"{total(per_second(buckets), 'le')} * $__interval_ms / 1000 and on () {happened} > 0"


def quantile(share, histogram, *labels):
    """NaN where nothing was counted."""
    return f"histogram_quantile({share}, {total(per_second(histogram), 'le', *labels)})"


def quantile_line(share, histogram, *labels):
    """A gap where nothing was counted; nothing at all where nothing was in the time range of the board."""
    counted = total(f"increase({histogram}[$__range] @ end())", *labels)
    return f"{quantile(share, histogram, *labels)} and on ({', '.join(labels)}) {counted} > 0"


def ratio(part, whole):
    """Nothing, in place of NaN, where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def out_of_service(*labels):
    """Replicas whose pool is out of service, each once whatever the reasons."""
    flag = of_pools("poolwarden_pool_disabled", OUT_OF_SERVICE)
    return total(f"max without (reason) ({flag})", *labels)


def ready_workers(*labels):
    return total(of_pools("poolwarden_workers", READY), *labels)


def missing_workers():
    """Of each pool of each replica; less than 0 where there are more than it wants."""
    return f"({of_pools('poolwarden_workers_desired')} - sum without (state) ({of_pools('poolwarden_workers', READY)}))"


def closest_to_trip(*labels):
    """Failures in the window as a share of those that rapid-fail protection allows; the worst replica's."""
    return highest(f"{of_pools('poolwarden_pool_rapid_fail_window_failures')} / "
                   f"{of_pools('poolwarden_pool_rapid_fail_max_failures')}", *labels)


def pool_state(*labels):
    """A number of words.POOL_STATES for each value of the labels: the worst of what is behind it."""
    flag = f"max without (reason) ({of_pools('poolwarden_pool_disabled', OUT_OF_SERVICE)})"
    running = of_pools("poolwarden_pool_state", 'state="running"')
    missing = f"{missing_workers()} * ignoring (state) {running}"
    states = " or ".join(f"""{of_pools("poolwarden_pool_state", f'state="{state}"')} * {number}"""
                         for state, number in (("starting", 4), ("stopping", 3), ("stopped", 2), ("running", 1)))
    return (f"({lowest(flag, *labels)} == 1) * 7 or ({highest(flag, *labels)} == 1) * 6"
            f" or ({highest(missing, *labels)} > 0) * 0 + 5 or {highest(states, *labels)}")


def _by(labels):
    return f" by ({', '.join(labels)})" if labels else ""
