#!/usr/bin/env python3
"""The service does what its own description says.

The description is fetched from the service and read by varlink's grammar; every
reply, event and error that comes back is held against it: no member that is not
in it, none missing, each of its type.
"""

import json
import re

import harness
from harness import COPY, film

TOKEN = re.compile(r"\s*(?:#[^\n]*\n\s*)*(->|\[\]|[():,?]|[A-Za-z][A-Za-z0-9_.]*)")


class Description:
    """Types, methods and errors of one interface.

    A struct is {member: type}, an enum a set of names, any other type is
    (optional, arrays, name or struct or enum).
    """

    def __init__(self, text):
        self.tokens = TOKEN.findall(text.rstrip() + "\n")
        self.types, self.methods, self.errors = {}, {}, {}
        assert self.take() == "interface"
        self.name = self.take()
        while self.tokens:
            kind, name = self.take(), self.take()
            if kind == "type":
                self.types[name] = self.body()
            elif kind == "error":
                self.errors[f"{self.name}.{name}"] = self.body()
            else:
                assert kind == "method", kind
                parameters = self.body()
                assert self.take() == "->"
                self.methods[name] = (parameters, self.body())

    def take(self):
        return self.tokens.pop(0)

    def body(self):
        """(a, b) or (a: type, b: type)"""
        assert self.take() == "("
        members, names = {}, set()
        while self.tokens[0] != ")":
            name = self.take()
            if self.tokens[0] == ":":
                self.take()
                members[name] = self.type()
            else:
                names.add(name)
            if self.tokens[0] == ",":
                self.take()
        self.take()
        return names or members

    def type(self):
        optional = self.tokens[0] == "?"
        if optional:
            self.take()
        arrays = 0
        while self.tokens[0] == "[]":
            self.take()
            arrays += 1
        return optional, arrays, self.body() if self.tokens[0] == "(" else self.take()

    def complaint(self, value, expected, where="reply"):
        """What of `value` does not fit a struct, an enum or a name; or None."""
        builtin = {"bool": bool, "int": int, "float": (int, float), "string": str,
                   "object": object}
        if isinstance(expected, str) and expected in builtin:
            right = isinstance(value, builtin[expected])
            right = right and (expected in ("bool", "object") or not isinstance(value, bool))
            return None if right else f"{where} is no {expected}: {value!r}"
        fields = self.types[expected] if isinstance(expected, str) else expected
        if isinstance(fields, set):
            return None if value in fields else f"{where} is none of {fields}: {value!r}"
        if not isinstance(value, dict):
            return f"{where} is no object: {value!r}"
        for name in value:
            if name not in fields:
                return f"{where}.{name} is not in the description"
        for name, of in fields.items():
            found = self.member_complaint(value.get(name), of, f"{where}.{name}")
            if found:
                return found
        return None

    def member_complaint(self, value, of, where):
        optional, arrays, name = of
        if value is None:
            return None if optional else f"{where} is missing"
        if not arrays:
            return self.complaint(value, name, where)
        if not isinstance(value, list):
            return f"{where} is no list: {value!r}"
        for i, element in enumerate(value):
            found = self.member_complaint(element, (False, arrays - 1, name), f"{where}[{i}]")
            if found:
                return found
        return None


class Interface(harness.TestCase):
    def setUp(self):
        super().setUp()
        roots = {"read": ["/"], "write": [str(self.out)]}
        self.running = self.service({"roots": roots})
        self.varlink = self.enterContext(self.running.connect())
        self.description = self.describe("io.transcoded")

    def describe(self, interface):
        reply = self.varlink.call("org.varlink.service.GetInterfaceDescription",
                                  {"interface": interface})
        return Description(reply["parameters"]["description"])

    def fits(self, reply, method, description=None):
        description = description or self.description
        self.assertNotIn("error", reply)
        complaint = description.complaint(reply["parameters"], description.methods[method][1])
        self.assertIsNone(complaint, json.dumps(reply))
        return reply["parameters"]

    def ask(self, method, **parameters):
        complaint = self.description.complaint(parameters, self.description.methods[method][0])
        self.assertIsNone(complaint, "the test's own call")
        return self.fits(self.varlink.call(method, parameters), method)

    def refused(self, method, **parameters):
        reply = self.varlink.call(method, parameters)
        self.assertIn(reply.get("error"), self.description.errors, json.dumps(reply))
        complaint = self.description.complaint(reply.get("parameters", {}),
                                               self.description.errors[reply["error"]])
        self.assertIsNone(complaint, json.dumps(reply))
        return reply["error"].removeprefix("io.transcoded.")

    def test_service__describes_itself(self):
        standard = self.describe("org.varlink.service")
        info = self.varlink.call("org.varlink.service.GetInfo")
        found = self.fits(info, "GetInfo", standard)
        self.assertEqual(found["interfaces"], ["org.varlink.service", "io.transcoded"])

    def test_methods__each_is_there(self):
        for method in self.description.methods:
            with self.subTest(method=method), self.running.connect() as v:
                reply = v.call(method, {"id": 999999})
                self.assertNotEqual(reply.get("error"), "org.varlink.service.MethodNotFound")
                self.assertNotEqual(reply.get("error"), "org.varlink.service.MethodNotImplemented")

    def test_queries__reply_as_described(self):
        profiles = self.ask("Profiles")
        self.assertGreaterEqual(len(profiles["profiles"]), 8)
        self.assertIn("quadro-p1000", [card["name"] for card in profiles["cards"]])
        self.assertEqual(self.ask("Devices")["devices"][0]["id"], "cpu")
        self.assertEqual(self.ask("List")["jobs"], [])
        diagnosis = self.ask("Diagnose")
        self.assertEqual(diagnosis["process"]["step"], "", json.dumps(diagnosis))
        self.assertEqual(len(diagnosis["process"]["nodes"]), 7)
        self.assertEqual([(f["role"], f["path"]) for f in diagnosis["folders"]],
                         [("store", str(self.running.state)), ("read", "/"),
                          ("write", str(self.out))])
        self.assertEqual(self.ask("Report", days=1)["step"], 3600)
        self.assertFalse(self.ask("Status")["drained"])
        self.ask("Drain")
        self.assertTrue(self.ask("Status")["drained"])
        self.ask("Undrain")

    def test_plan__replies_as_described(self):
        job = self.job(film(), {"path": "out.mp4", **COPY})
        self.assertEqual(self.ask("Plan", job=job)["plan"], ["copy", "copy"])

    def test_job__from_submit_to_show__is_as_described(self):
        job = self.job(film(), {"path": "out.mp4", **COPY}, key="mine")
        events = [self.fits(reply, "Submit").get("event") for reply in
                  self.varlink.stream("Submit", {"job": job, "detach": True})]
        kinds = [event["event"] for event in events if event]
        self.assertEqual(events[-1].get("outcome"), "done", json.dumps(events[-1]))
        self.assertIn("ready", kinds)
        tally = self.ask("Report")["tallies"]
        self.assertEqual([(t["device"], t["video"], t["count"]) for t in tally],
                         [("cpu", False, 1)])
        id = self.ask("List", states=["succeeded"], limit=5)["jobs"][0]["id"]
        shown = self.ask("Show", id=id)
        # all of the document that is shown is in the description
        self.assertEqual(shown["job"]["outputs"][0]["video"]["codec"], "copy")
        self.assertEqual(shown["attempts"][0]["outcome"], "done")
        self.ask("Retry", id=id)
        self.running.wait_for(id)
        for reply in self.varlink.stream("Follow", {"id": id}):
            self.fits(reply, "Follow")

    def test_held_job__paused_resumed_cancelled__replies_as_described(self):
        self.ask("Drain")
        job = self.job(film(), "out.mp4")
        id = self.ask("Submit", job=job, detach=True)["id"]
        for method in "Pause", "Resume", "Cancel":
            self.ask(method, id=id)
        self.assertEqual(self.ask("Show", id=id)["state"], "cancelled")
        self.assertEqual(self.refused("Pause", id=id), "WrongState")

    def test_errors__are_as_described(self):
        self.assertEqual(self.refused("Show", id=999999), "NoSuchJob")
        self.assertEqual(self.refused("Cancel", id=999999), "NoSuchJob")
        self.assertEqual(self.refused("Submit", job={"outputs": []}, detach=True), "InvalidJob")
        self.assertEqual(self.refused("Plan", job={"input": 7}), "InvalidJob")


if __name__ == "__main__":
    harness.main()
