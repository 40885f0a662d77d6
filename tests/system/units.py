"""Reading unit files: what the suites of this folder compare."""

import json
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]
UNITS = TOP / "systemd"
PATTERN = json.loads((pathlib.Path(__file__).parent / "pattern1.json").read_text())


def read(path):
    """{section: {key: [values in their order]}}; comments and blank lines go."""
    sections, section = {}, None
    for line in pathlib.Path(path).read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and line[0] not in "#;":
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return sections


def access(path):
    """What a unit gives to a service: devices, groups, environment, by name."""
    service = read(path)["Service"]
    return {
        "devices": dict(v.split() for v in service.get("DeviceAllow", [])),
        "groups": [g for v in service.get("SupplementaryGroups", []) for g in v.split()],
        "environment": dict(v.split("=", 1) for v in service.get("Environment", [])),
    }


def expected(service):
    """The same from the table, with what is added for `service`."""
    added = PATTERN["additions"].get(service, {})
    return {
        "devices": {**PATTERN["devices"], **added.get("devices", {})},
        "groups": PATTERN["groups"],
        "environment": {**PATTERN["environment"], **added.get("environment", {})},
    }
