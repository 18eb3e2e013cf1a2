"""A crash loop in a container reaches whoever is on duty, with what the workers died of, once; and
the end of it does too. Prometheus and Alertmanager are real, and so are their files: the rules and
the routing are those that are shipped, only everything is scraped and evaluated each second."""

import pytest

from alerting import RUNBOOKS, alertmanager, prometheus
from container import ADMIN
from waiting import eventually
from webhook import Webhook

TRIPPED = "PoolwardenRapidFailProtectionTripped"
LESSER = "PoolwardenWorkerStartFailing"


def pool(name, **settings):
    """Its workers are killed by SIGSEGV as they start, as long as /broken/NAME is there."""
    command = f"test ! -e /broken/{name} || kill -SEGV $$$$; exec poolwarden sample-worker"
    return {"command": command, "routes": [{"host": name}], **settings}


@pytest.fixture
def broken(tmp_path):
    """The folder that the container sees as /broken."""
    folder = tmp_path / "broken"
    folder.mkdir()
    tmp_path.chmod(0o755)
    folder.chmod(0o755)
    return folder


@pytest.fixture
def container(contain, broken):
    return contain({"web": pool("web"), "other": pool("other", rapid_fail={"failures": 1000})},
                   options=["--volume", f"{broken}:/broken:ro"])


@pytest.fixture
def webhook():
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def alerts(container, webhook, tmp_path):
    """What the Alertmanager knows: alerts(name, pool) -> its statuses."""
    receivers = {"page": webhook.url, "chat": webhook.url}
    with alertmanager(tmp_path, receivers) as manager:
        with prometheus(tmp_path, container.port(ADMIN), manager.port) as server:
            def find(name, pool):
                return [alert["status"] for alert in manager.get("/api/v2/alerts")
                        if alert["labels"]["alertname"] == name and alert["labels"]["pool"] == pool]

            # The counters at 0 come first, or nothing is seen to increase.
            eventually(lambda: len(server.get("/api/v1/query", query='up{job="poolwarden"} == 1')
                                   ["data"]["result"]) == 1, "a scrape")
            yield find


def begin_crash_loop(container, broken, name):
    (broken / name).touch()
    container.post("/crash", headers={"Host": name})


def test_a_crash_loop_is_told_once_with_its_diagnosis_and_so_is_its_end(container, broken, webhook,
                                                                        alerts):
    begin_crash_loop(container, broken, "web")
    [(receiver, told)] = eventually(lambda: webhook.told(TRIPPED, "web", "firing"), "the page", 90)
    assert receiver == "page"
    assert "The last worker died of segfault (SIGSEGV)" in told["annotations"]["description"]
    assert "poolwarden start web" in told["annotations"]["description"]
    assert told["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{TRIPPED}.md")
    assert (RUNBOOKS / f"{TRIPPED}.md").exists()

    # The lesser alert fires as well, and is not told. The same alert of another pool, which is not
    # out of service, is told, and that later one shows that the first was due.
    eventually(lambda: [status for status in alerts(LESSER, "web") if status["inhibitedBy"]],
               "the lesser alert, inhibited")
    begin_crash_loop(container, broken, "other")
    eventually(lambda: webhook.told(LESSER, "other", "firing"), "the other pool's lesser alert", 90)
    assert webhook.told(LESSER, "web", "firing") == []

    (broken / "web").unlink()
    assert container.poolwarden("start", "web", "--wait").returncode == 0
    eventually(lambda: webhook.told(TRIPPED, "web", "resolved"), "the end of it", 120)
    assert container.get(headers={"Host": "web"}).status == 200
    assert len(webhook.told(TRIPPED, "web", "firing")) == 1
