"""Evaluating Nix without nixpkgs, a store or a network: lib.nix, pkgs.nix and
nixos.nix of this folder stand for what is not here."""

import json
import pathlib
import shutil
import subprocess
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests/e2e"), str(TOP / "tests/system")]

import harness

HERE = TOP / "tests/nix"
FILES = [TOP / "flake.nix", *sorted((TOP / "nix").glob("*.nix")), *sorted(HERE.glob("*.nix"))]
MODULE = TOP / "nix/module.nix"


class Refused(Exception):
    """What Nix says of an expression that has no value."""


def run(*arguments):
    r = subprocess.run(["nix-instantiate", "--store", "dummy://", *map(str, arguments)],
                       capture_output=True, text=True, timeout=harness.PATIENCE)
    if r.returncode != 0:
        raise Refused(r.stderr)
    return r.stdout


def evaluate(expression):
    return json.loads(run("--eval", "--strict", "--json", "--expr", expression))


def machine(*modules, show):
    """What the expression `show` makes of `config`, a machine's with `modules`:
    Nix texts, or paths of files."""
    words = "\n".join(f"({m})" for m in modules)
    return evaluate(f"""
        let
          lib = import {HERE}/lib.nix;
          pkgs = import {HERE}/pkgs.nix {{ inherit lib; }};
          config = import {HERE}/machine.nix [ {words} ];
        in {show}""")


def sections(unit):
    """{section: {key: [texts]}} of a unit of `config.systemd`, as NixOS writes it."""
    described = {
        "Unit": {"Description": [unit["description"]] if unit["description"] else [],
                 **{k: unit[k.lower()] for k in ("Documentation", "Requires", "Wants", "After", "Before")},
                 **unit["unitConfig"]},
        "Service": {**unit.get("serviceConfig", {}),
                    "Environment": [f"{k}={v}" for k, v in unit.get("environment", {}).items()]},
        "Socket": unit.get("socketConfig", {}),
        "Install": {"WantedBy": unit["wantedBy"]},
    }
    filled = {}
    for name, keys in described.items():
        for key, value in keys.items():
            for v in value if isinstance(value, list) else [value]:
                text = {True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v)
                filled.setdefault(name, {}).setdefault(key, []).append(text)
    return filled


class TestCase(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not shutil.which("nix-instantiate"):
            raise unittest.SkipTest("nix is not here (Debian: nix-bin)")
