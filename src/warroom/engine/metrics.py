"""What is counted, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The engine's counters, in a registry of their own unless one is handed in."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.inputs = Counter(
            "warroom_inputs", "Inputs by source and what became of them.", ["source", "fate"], registry=self.registry
        )
        self.group = Histogram(
            "warroom_commit_group_size",
            "Inputs decided in one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=self.registry,
        )
        self.commit = Histogram(
            "warroom_commit_seconds",
            "Real seconds from the start of a deciding transaction to its commit.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )
        self.effects = Counter(
            "warroom_effects",
            "What became of effects, by kind: done, refused, unknown, or again for an attempt that will be repeated.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.urgent = Histogram(
            "warroom_urgent_effect_seconds",
            "Real seconds from the decision to the end of a priority 0 effect.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
            registry=self.registry,
        )
        self.waiting = Gauge("warroom_effects_waiting", "Effects not finished.", registry=self.registry)
        self.flying = Gauge("warroom_effects_in_flight", "Calls under way.", registry=self.registry)
        self.timers_late = Histogram(
            "warroom_timer_lateness_seconds",
            "Seconds (of the incident clock) from when a timer was due to when it was decided.",
            buckets=(0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 3600),
            registry=self.registry,
        )
