"""What a pool can carry, from its places (workers x concurrency), the service time, the arrival
rate and queue.limit: the formulas of docs/scaling.md."""

import math
from dataclasses import dataclass


@dataclass
class Prediction:
    throughput: float  # answered requests a second
    rejected: float    # share of all requests: 503 queue_full
    busy: float        # share of the places
    waiting: float     # share of the answered requests that had to wait
    wait: float        # how long these waited in the mean, seconds


def predict(rate, service, places, queue_limit):
    """M/M/c/K: random arrivals, exponential service times of mean `service`, a queue of
    `queue_limit`. Kendall's notation; Erlang's solution of it."""
    offered = rate * service
    # The weight of n requests in the pool; by logarithms, for factorials overflow.
    def weight(n):
        in_service = min(n, places)
        return math.exp(in_service * math.log(offered) - math.lgamma(in_service + 1)
                        + (n - in_service) * math.log(offered / places))
    weights = [weight(n) for n in range(places + queue_limit + 1)]
    total = sum(weights)
    share = [each / total for each in weights]
    rejected = share[-1]
    throughput = rate * (1 - rejected)
    had_to_wait = sum(share[places:-1])
    queue = sum((n - places) * share[n] for n in range(places, len(share)))
    return Prediction(throughput, rejected, throughput * service / places,
                      had_to_wait / (1 - rejected),
                      queue / (rate * had_to_wait) if had_to_wait else 0.0)
