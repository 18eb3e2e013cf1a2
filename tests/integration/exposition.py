"""Reads the text of /metrics, as far as the stories ask it."""

import re

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    def __init__(self, samples):
        self.samples = samples  # (name, labels, value)

    def matching(self, name, **labels):
        return [(have, value) for sample, have, value in self.samples
                if sample == name and labels.items() <= have.items()]

    def value(self, name, **labels):
        """The sum over all series that have these labels; None when there is none."""
        found = self.matching(name, **labels)
        return sum(value for _, value in found) if found else None

    def counters(self):
        return {(name, tuple(sorted(labels.items()))): value
                for name, labels, value in self.samples if name.endswith("_total")}


def parse_metrics(text):
    samples = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.match(line)
        assert match, f"not a sample: {line}"
        labels = dict(_LABEL.findall(match[2] or ""))
        samples.append((match[1], labels, float(match[3])))
    return Metrics(samples)
