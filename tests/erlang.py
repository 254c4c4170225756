"""Erlang C and Erlang A in closed form: what a queue must come to if arrivals are Poisson, service
and patience exponential, and calls are served in order.

Erlang C is M/M/n; Erlang A is M/M/n+M: callers give up, each after a time of their own.  Nothing
is shared with the processor.  Rates are per second; ``patience_s`` is the mean patience.

A caller who finds k >= n in the system waits for m + 1 = k - n + 1 departures, at rates
n mu + i theta, i = 0 ... m, because those ahead may give up too.  That sum is -log(B) / theta with
B ~ Beta(n mu / theta, m + 1), and the caller is patient enough with probability B.
"""

from __future__ import annotations

from itertools import accumulate
from math import exp
from typing import NamedTuple

STATES_MAX = 2_000
"""The chain of Erlang A is cut here; its tail falls faster than any geometric one."""


class Queue(NamedTuple):
    """A queue with ``agents`` servers; ``patience_s`` None: nobody ever gives up."""

    arrivals: float
    services: float
    agents: int
    patience_s: float | None = None


class Expected(NamedTuple):
    """Shares are of all arrivals; ``answer_speed_s`` is of the answered, ``wait_s`` of all."""

    waits: float
    service_level: float
    abandons: float
    answer_speed_s: float
    wait_s: float
    occupancy: float


def erlang(queue: Queue, threshold_s: float) -> Expected:
    """What the queue comes to in the long run; ``service_level`` is answered within the threshold,
    inclusive, of all arrivals."""
    if queue.patience_s is None:
        return _erlang_c(queue, threshold_s)
    return _erlang_a(queue, threshold_s, 1 / queue.patience_s)


def _erlang_c(queue: Queue, threshold_s: float) -> Expected:
    load = queue.arrivals / queue.services
    assert load < queue.agents, "the queue would grow for ever"
    terms = list(accumulate(range(1, queue.agents + 1), lambda p, k: p * load / k, initial=1.0))
    delayed = terms[-1] * queue.agents / (queue.agents - load)
    waits = delayed / (sum(terms[:-1]) + delayed)
    spare = queue.agents * queue.services - queue.arrivals
    level = 1 - waits * exp(-spare * threshold_s)
    mean_s = waits / spare
    return Expected(waits, level, 0.0, mean_s, mean_s, load / queue.agents)


def _erlang_a(queue: Queue, threshold_s: float, theta: float) -> Expected:
    share = _stationary(queue, theta)
    n, delayed = queue.agents, share[queue.agents :]
    length = sum(m * p for m, p in enumerate(delayed))
    abandons = theta * length / queue.arrivals
    departures = n * queue.services / theta
    below = _beta_below(departures + 1, exp(-theta * threshold_s), len(delayed))
    within = answer_s = mean_s = 0.0
    for m, p in enumerate(delayed):
        served = departures / (departures + m + 1)
        mean_s += 1 / ((departures + m + 1) * theta)
        within += p * served * (1 - below[m])
        answer_s += p * served * mean_s
    return Expected(
        sum(delayed),
        sum(share[:n]) + within,
        abandons,
        answer_s / (1 - abandons),
        length / queue.arrivals,
        sum(min(k, n) * p for k, p in enumerate(share)) / n,
    )


def _stationary(queue: Queue, theta: float) -> list[float]:
    """The share of time with k calls in the system."""
    weights, weight = [], 1.0
    for k in range(STATES_MAX):
        weights.append(weight)
        out = min(k + 1, queue.agents) * queue.services + max(k + 1 - queue.agents, 0) * theta
        weight *= queue.arrivals / out
    total = sum(weights)
    return [weight / total for weight in weights]


def _beta_below(a: float, x: float, count: int) -> list[float]:
    """P(Beta(a, m + 1) <= x) for m = 0 ... count - 1."""
    sums, total, term = [], 0.0, x**a
    for j in range(count):
        total += term
        sums.append(total)
        term *= (a + j) / (j + 1) * (1 - x)
    return sums
