"""What poolwarden does with less than root's rights, and what it says that it does without."""

import os
from pathlib import Path

import pytest

from waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")

WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NEEDED_FOR_OTHERS = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"}


def without(*names):
    return ("setpriv", "--bounding-set", ",".join(f"-{name.lower()}" for name in names))


def end(supervisor):
    """setpriv(1) becomes what it starts: the supervisor is no child of it."""
    supervisor.process.terminate()
    assert supervisor.process.wait(30) == 0


def missing(supervisor):
    """Told as events, and in the status: the same sentences, each once."""
    told = [event["message"] for event in supervisor.events_of("containment.degraded")
            if "pool" not in event]
    assert told == supervisor.status()["supervisor"]["containment"]["missing"]
    assert len(told) == len(set(told))
    return told


def refusal(supervisor):
    """What a supervisor that does not begin says; its exit code is 1."""
    assert supervisor.process.wait(30) == 1
    return supervisor.log_text()


def test_root_without_capabilities_serves_with_a_gateway_of_its_own_user(supervise):
    supervisor = supervise({"web": {}}, prefix=WITHOUT_CAPABILITIES)
    try:
        status = Path(f"/proc/{supervisor.gateway_pid()}/status").read_text()
        assert "Uid:\t0\t0\t0\t0" in status and "CapEff:\t0000000000000000" in status
        [worker] = supervisor.worker_pids()
        supervisor.post("/crash")
        eventually(lambda: supervisor.get().json["pid"] != worker, "the replacement")
        assert supervisor.run("stop", "web", "--wait").returncode == 0
        [said] = [sentence for sentence in missing(supervisor) if "gateway" in sentence]
        assert said.startswith("cannot run the gateway as nobody: it runs as root")
        for flag in ("--cap-add SETUID", "capabilities: {add: [CHOWN, KILL, SETGID, SETUID]}",
                     "CapabilityBoundingSet=CAP_CHOWN"):
            assert flag in said
    finally:
        end(supervisor)


def test_root_without_capabilities_runs_a_pool_that_names_root(supervise):
    supervisor = supervise({"web": {"identity": {"user": "root"}}},
                           prefix=(*WITHOUT_CAPABILITIES, "--clear-groups"))
    try:
        assert supervisor.get().status == 200
    finally:
        end(supervisor)


def test_groups_that_cannot_be_given_up_are_refused_at_the_start(supervise):
    supervisor = supervise({"web": {"identity": {"user": "root"}}}, wait=None,
                           prefix=(*WITHOUT_CAPABILITIES, "--groups=0,4242"))

    said = refusal(supervisor)

    assert "pool web: cannot run as another user (identity) without CAP_" in said
    assert "--cap-add SETGID" in said and "leave identity.user and identity.groups out" in said


@pytest.mark.parametrize("capability", sorted(NEEDED_FOR_OTHERS))
def test_a_user_that_cannot_be_looked_after_is_refused_at_the_start(supervise, capability):
    supervisor = supervise({"web": {"identity": {"user": "www-data"}}}, wait=None,
                           prefix=without(capability))

    said = refusal(supervisor)

    assert f"pool web: cannot run as another user (identity) without CAP_{capability}" in said
    assert f"--cap-add {capability}" in said


def test_what_is_needed_to_look_after_another_user_is_enough(supervise):
    kept = ",".join(f"+{name.lower()}" for name in sorted(NEEDED_FOR_OTHERS))
    supervisor = supervise({"web": {"identity": {"user": "www-data"}}},
                           prefix=("setpriv", "--bounding-set", f"-all,{kept}"))
    try:
        [worker] = supervisor.worker_pids()
        supervisor.post("/ignore-term")
        assert supervisor.run("recycle", "web", "--wait").returncode == 0
        assert supervisor.get().json["pid"] != worker
        [said] = [sentence for sentence in missing(supervisor) if "other users" in sentence]
        assert "--cap-add SYS_PTRACE" in said
    finally:
        end(supervisor)


def test_capabilities_that_poolwarden_does_not_have_are_refused_at_the_start(supervise):
    supervisor = supervise({"web": {"identity": {"capabilities": ["CAP_NET_BIND_SERVICE"]}}},
                           wait=None, prefix=WITHOUT_CAPABILITIES)

    said = refusal(supervisor)

    assert "pool web: cannot give identity.capabilities" in said
    assert "--cap-add NET_BIND_SERVICE" in said


def test_another_user_says_that_all_are_that_user(supervise):
    supervisor = supervise({"web": {}}, prefix=AS_NOBODY, in_own_folder=True)
    try:
        assert supervisor.get().status == 200
        [said] = [sentence for sentence in missing(supervisor) if "not as root" in sentence]
        assert "runs as user 65534" in said and "runAsUser: 0" in said
    finally:
        end(supervisor)


def test_only_root_can_run_a_pool_as_another_user(supervise):
    supervisor = supervise({"web": {"identity": {"user": "www-data"}}}, wait=None, prefix=AS_NOBODY,
                           in_own_folder=True)

    assert "pool web: cannot run as user 'www-data': only root may" in refusal(supervisor)


def test_a_reload_to_what_cannot_be_given_changes_nothing(supervise):
    supervisor = supervise({"web": {}}, prefix=WITHOUT_CAPABILITIES)
    try:
        workers = supervisor.worker_pids()
        supervisor.change({"web": {"identity": {"user": "www-data"}}})

        result = supervisor.run("reload", "--wait")

        assert result.returncode == 2
        assert "pool web: cannot run as another user" in result.stderr
        assert "nothing was changed" in result.stderr
        assert supervisor.worker_pids() == workers
    finally:
        end(supervisor)


def test_a_limit_above_the_hard_one_is_said_with_its_cure(supervise):
    supervisor = supervise({"web": {"containment": "best_effort", "limits": {"open_files": 4096}}},
                           prefix=("prlimit", "--nofile=512:1024", *without("SYS_RESOURCE")))
    try:
        [said] = [sentence for sentence in missing(supervisor) if "open_files" in sentence]
        assert "of pool web to 4096: the hard limit is 1024" in said
        assert "--ulimit nofile=4096" in said
    finally:
        end(supervisor)


def test_a_core_file_above_the_hard_limit_is_said_with_its_cure(supervise):
    pools = {name: {"containment": "best_effort", "limits": {"core": core},
                    "routes": [{"path": f"/{name}"}]}
             for name, core in (("any", "infinite"), ("less", "1KiB"), ("none", 0))}
    supervisor = supervise(pools, prefix=("prlimit", "--core=4096:4096", *without("SYS_RESOURCE")))
    try:
        [said] = [sentence for sentence in missing(supervisor) if "limits.core" in sentence]
        assert "of pool any to infinite: the hard limit is 4KiB" in said
        assert "--ulimit core=-1" in said
    finally:
        end(supervisor)


@pytest.mark.parametrize("limits", ({"affinity": "0"}, {"affinity_each": 1}, {}))
def test_cpus_that_a_worker_may_leave_are_said(supervise, limits):
    supervisor = supervise({"web": {"limits": limits}}, prefix=AS_NOBODY, in_own_folder=True)
    try:
        said = [sentence for sentence in missing(supervisor) if "limits.affinity" in sentence]
        assert len(said) == (1 if limits else 0)
        assert all("a worker may change" in sentence for sentence in said)
    finally:
        end(supervisor)


def test_cgroups_that_cannot_be_written_are_one_sentence_a_hierarchy_kind(supervise):
    supervisor = supervise({"web": {}}, prefix=AS_NOBODY, in_own_folder=True)
    try:
        about = [sentence for sentence in missing(supervisor) if "cgroup" in sentence]
        assert len([sentence for sentence in about if sentence.startswith("cannot create cgroups of ")]) == 1
        assert len(about) <= 2, about
    finally:
        end(supervisor)
