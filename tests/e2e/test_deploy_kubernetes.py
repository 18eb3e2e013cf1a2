"""deploy/kubernetes against the schemas of Kubernetes and of the Prometheus operator."""

import copy

import pytest

from deployment import kubernetes_object, kubernetes_objects
from schemas import kubernetes_errors


def test_every_manifest_follows_its_schema():
    objects = [each for name, held in kubernetes_objects().items() for each in held
               if name not in ("kustomization.yaml", "prometheus-adapter.yaml")]
    assert len(objects) >= 9
    assert kubernetes_errors(objects) == []


def container(deployment):
    return deployment["spec"]["template"]["spec"]["containers"][0]


# The check itself: a mistake of each sort is found.
MISTAKES = {
    "unknown field": ("Deployment", lambda it: container(it).update(readynessProbe={}), "readynessProbe"),
    "wrong type": ("Deployment", lambda it: container(it)["ports"][0].update(containerPort="http"),
                   "containerPort"),
    "missing field": ("HorizontalPodAutoscaler", lambda it: it["spec"].pop("maxReplicas"), "maxReplicas"),
    "unknown field of the operator": (
        "PodMonitor", lambda it: it["spec"]["podMetricsEndpoints"][0].update(intervall="15s"), "intervall"),
    "unknown field of a rule": (
        "PrometheusRule", lambda it: it["spec"]["groups"][0]["rules"][0].update(expression="1"),
        "expression"),
}


@pytest.mark.parametrize("kind, spoil, named", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_found(kind, spoil, named):
    spoilt = copy.deepcopy(kubernetes_object(kind))
    spoil(spoilt)
    assert named in "\n".join(kubernetes_errors([spoilt]))
