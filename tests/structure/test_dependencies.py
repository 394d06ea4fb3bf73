"""Promises about what we depend on."""

import re
import tomllib

from tests.structure.tree import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement.strip())[0]).lower()


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = list(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        requirements += extra
    for group in project["dependency-groups"].values():
        requirements += group
    return {canonical(requirement) for requirement in requirements}


def explained():
    """Name → reason, from the tables of docs/dependencies.md."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", text, flags=re.MULTILINE)
    return {canonical(name): why.strip() for name, why in rows if not name.startswith(("Package", "-", "Brought"))}


def test_every_dependency_has_its_reason():
    reasons = explained()
    assert not [name for name in sorted(declared()) if len(reasons.get(name, "")) < 20]


def test_no_reason_is_left_for_what_is_gone():
    assert not explained().keys() - declared()


def test_locks_name_versions_and_hashes_but_no_host():
    assert LOCKS
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        pins = re.findall(r"^([a-z0-9-]+)==\S+.*\\$", text, flags=re.MULTILINE)
        assert pins
        assert not re.search(r"https?:|file:|--index|--find-links|--extra-index", text)
        assert len(re.findall(r"^\S+==[^\\]*\\\n    --hash=sha256:", text, flags=re.MULTILINE)) == len(pins)


def test_the_two_locks_agree():
    def pins(name):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([a-z0-9-]+==[^\s;]+)", text, flags=re.MULTILINE))

    assert pins("runtime.txt") <= pins("dev.txt")
