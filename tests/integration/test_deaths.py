"""Every death of the table is explained: diagnosis, detail, who did it, event, sentence, next step.
One supervisor has a pool for each of them, and all of them are started together: one with the
cgroups that this machine has, and one without any. `-k` selects place and death."""

import json
import subprocess
from pathlib import Path

import pytest

from deaths import AS_ROOT, DEATHS
from folders import folders_named, let_everybody_into
from machine import WITHOUT_CGROUPS
from supervisor import Supervisor
from waiting import eventually
from web import Load

# Seconds. Cores are looked at one after the other, each for up to 30 s, as the last of all that the
# machine does.
PATIENCE = 170
# What the gateway and those who look into files tell comes before the event of an end or after it.
TOLD_LATER = {"cut_requests", "port_holder", "loader"}
ENDS = ("worker.exited", "worker.start_failed", "worker.stopped")


def holds(leaf, pid):
    try:
        return str(pid) in (leaf / "cgroup.procs").read_text().split()
    except OSError:
        return False  # another's, which is gone by now


class Scene:
    """Where the workers of the table die: those that can, there."""

    def __init__(self, program, folder, prefix):
        self.folder = folder
        self.deaths = [death for death in DEATHS
                       if death.is_possible and not (prefix and death.needs_cgroups)]
        self.workers = Path(program).parent / "tests" / "workers"
        self._loads = []
        pools = {death.name: self._pool(death) for death in self.deaths}
        self.supervisor = Supervisor(program, pools, wait="up", prefix=prefix)

    def _pool(self, death):
        here = self.folder / death.name
        here.mkdir(mode=0o755)
        if death.prepare:
            death.prepare(here)
        settings = {"directory": "HERE", "routes": [], "rapid_fail": {"failures": 1},
                    "stop": {"timeout": "1s"}, "command": death.command, **death.settings}
        return json.loads(self.spelled_out(json.dumps(settings), death))

    def spelled_out(self, text, death):
        return text.replace("WORKERS", str(self.workers)).replace(
            "HERE", str(self.folder / death.name))

    def events(self, death):
        return [event for event in self.supervisor.admin("/api/v1/events").json
                if event.get("pool") == death.name]

    def pid(self, death):
        return eventually(lambda: self.supervisor.worker_pids(death.name), f"{death.name} runs",
                          PATIENCE)[0]

    def wait_for_line(self, death, text):
        """That its worker writes; the supervisor passes it on."""
        eventually(lambda: text in self.supervisor.log_text(), f"{death.name} says {text!r}",
                   PATIENCE)

    def ask(self, death, path):
        """A request that may never be answered."""
        load = Load(self.supervisor.port, f"{death.settings['routes'][0]['path']}/{path}",
                    connections=1, limit=1)
        self._loads.append(load.__enter__())

    def in_flight(self, death):
        return self.supervisor.metric("poolwarden_http_requests_in_flight", pool=death.name)

    def cgroups(self, death, pid):
        """The folders of its worker's leaf, of each hierarchy that has one. Beside others' cgroups,
        which come and go meanwhile."""
        return [leaf for leaf in folders_named(f"{death.name}/0-1", "/sys/fs/cgroup")
                if holds(leaf, pid)]

    def certificate(self, death):
        """Of its first worker, with the name and number of the event that told of it, and whether
        more was found when it had been told."""
        def told():
            events = [event for event in self.events(death) if event.get("generation") == 1]
            ends = [event for event in events if event["event"] in ENDS]
            more = any(event["event"] == "worker.post_mortem" for event in events)
            is_early = bool(ends) and ends[0].get("was") == death.was_too_early is not None
            waits_for_more = death.has_more or is_early
            return (ends[0], more) if ends and (more or not waits_for_more) else None
        end, more = eventually(told, f"the end of {death.name}", PATIENCE)
        awaited = TOLD_LATER & death.holds.keys()

        certificate = {}

        def complete():  # one part of it may have come before the others
            certificate.update(self._certificate(death, end["certificate"]))
            return death.holds_in(certificate, awaited, lambda text: self.spelled_out(text, death))
        try:
            eventually(complete, f"{awaited} of {death.name}", PATIENCE)
        except AssertionError as error:
            so_far = {key: certificate.get(key) for key in awaited}
            raise AssertionError(f"{error}; so far {so_far}") from error
        return {**certificate, "event": end["event"], "was": end.get("was"), "told_more": more}

    def _certificate(self, death, number):
        answer = self.supervisor.run("why", death.name, "--json")
        assert answer.returncode == 0, answer.stderr
        return next(each for each in json.loads(answer.stdout)["certificates"]
                    if each["number"] == number)

    def end(self):
        try:
            self.supervisor.finish()
        finally:
            self.supervisor.destroy()
            for disk in filter(Path.is_mount, self.folder.iterdir()):
                subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture(scope="module", params=[
    pytest.param([], id="here"),
    pytest.param(WITHOUT_CGROUPS, id="without_cgroups", marks=AS_ROOT)])
def scene(request, program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deaths")
    let_everybody_into(folder)
    made = Scene(program, folder, request.param)
    try:
        made.supervisor.start()
        yield made
    finally:
        made.end()


@pytest.mark.parametrize(
    "death", [pytest.param(death, id=death.name, marks=death.marks) for death in DEATHS])
def test_each_death_is_explained(scene, death):
    if death not in scene.deaths:
        pytest.skip("there is no cgroup")
    if death.bring:
        scene.pid(death)
        death.bring(scene, death)

    told = scene.certificate(death)

    wrong = death.complaints(told, lambda text: scene.spelled_out(text, death))
    assert not wrong, "\n".join([*wrong, json.dumps(told, indent=2)])
    if death.pool_event:
        events = {(event["event"], event.get("was")) for event in scene.events(death)}
        assert death.pool_event in events
