"""Folders: those below a place where others' come and go meanwhile, which glob() does not stand, and
those of tests that another user's processes pass through."""

import os
from pathlib import Path


def folders_named(name, place):
    """Every folder below `place` whose path ends in `name`, whole names only."""
    return [Path(at) for at, _, _ in os.walk(place) if at.endswith(f"/{name}")]


def let_everybody_into(folder):
    """And through what pytest has made above it."""
    for each in (folder, *folder.parents[:3]):
        each.chmod(each.stat().st_mode | 0o055)
