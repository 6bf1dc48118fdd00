"""Holds what we found in the cases of chain_cases.py against what the oracles
found.

    chain_compare.py CASES OURS BOTOCORE SDK

Each is a file of lines of JSON. Differences are failures but for those that
chain_differences.py means.
"""

import collections
import json
import pathlib
import sys

from chain_differences import ROWS, failed, plain_url

# Below these numbers something is wrong with the test itself.
LEAST_PAIRS = 300
LEAST_TOKENS = 150
LEAST_TWINS = 60

# What a daemon cannot do, or nobody can.
ONLY_ERRORS = {"SSO, login, MFA", "broken files", "loop"}

WHERE_FEATURES = {"AWS_REGION", "AWS_DEFAULT_REGION", "region", "Region",
                  "no region", "FIPS", "dual stack", "Endpoint",
                  "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH",
                  "endpoint_url", "services section", "ignored endpoints",
                  "files elsewhere"}


def read(name):
    return [json.loads(line)
            for line in pathlib.Path(name).read_text().splitlines()]


def parts(answer):
    """{what: answer}; None for what was not asked."""
    place = answer["place"]
    found = {"region": place, "endpoint": place,
             "credentials": answer.get("credentials")}
    if not failed(place):
        found["region"] = {"region": place["region"]}
        found["endpoint"] = {"endpoint": plain_url(place["endpoint"])}
    return found


def is_same(what, our, their):
    if failed(our) or failed(their):
        return failed(our) and failed(their)
    names = {"region": ["region"], "endpoint": ["endpoint"],
             "credentials": ["key", "secret", "token"]}[what]
    return all(our[name] == their[name] for name in names)


class Comparison:
    def __init__(self):
        self.failures = []
        self.covered = collections.Counter()
        self.agreed = collections.Counter()
        self.features = collections.defaultdict(collections.Counter)
        self.pairs = self.tokens = self.twins = 0
        self.ours = {}

    def add(self, case, ours, theirs):
        ours = self.ours[case["name"]] = parts(ours)
        self._compare_twin(case, ours)
        agreed = set()
        for oracle, answer in theirs.items():
            for what, their in parts(answer).items():
                if ours[what] is None:
                    continue
                if is_same(what, ours[what], their):
                    self.agreed[oracle, what] += 1
                    agreed.add(what)
                else:
                    self._excuse(case, oracle, what, ours[what], their,
                                 ours["region"], parts(answer)["region"])
        self._count(case, ours, agreed)

    def _compare_twin(self, case, ours):
        """However it is written down, it means the same to us."""
        plain = self.ours.get(case.get("plainly"))
        if plain is None:
            return
        self.twins += 1
        for what, our in ours.items():
            if None in (our, plain[what]):
                is_equal = our is plain[what]
            else:
                is_equal = is_same(what, our, plain[what])
            if not is_equal:
                self.failures.append(
                    f"{case['name']}: {what} is not that of the same case "
                    f"written plainly\n  ours:   {our}\n"
                    f"  plain:  {plain[what]}\n  {case['facts']} in "
                    f"{case['home']}")

    def _excuse(self, case, oracle, what, our, their, our_region,
                their_region):
        # What follows from the region differs with it, and is excused with it.
        if what == "endpoint" and not failed(our_region) and (
                failed(their_region)
                or our_region["region"] != their_region["region"]
                and our_region["region"] in our["endpoint"]):
            return
        rows = [row for row in ROWS if row.oracle == oracle
                and row.what == what and row.covers(case, our, their)]
        self.covered.update(row.reason for row in rows)
        if not rows:
            self.failures.append(
                f"{case['name']}: {what} is not that of {oracle}\n"
                f"  ours:   {our}\n  theirs: {their}\n"
                f"  {case['features']} {case['facts']}\n"
                f"  {case['options']} in {case['home']}\n  {case['env']}")

    def _count(self, case, ours, agreed):
        if agreed >= {"region", "endpoint", "credentials"} and not any(
                failed(ours[what]) for what in agreed):
            self.pairs += 1
            self.tokens += bool(ours["credentials"]["token"])
        for feature in case["features"]:
            what = {"region", "endpoint"} if feature in WHERE_FEATURES else {
                "credentials"}
            if agreed >= what:
                outcome = any(failed(ours[one]) for one in what)
                self.features[feature]["error" if outcome else "success"] += 1

    def report(self):
        print(f"{self.pairs} pairs of files and environments give region, "
              "endpoint and credentials as an oracle finds them "
              f"({self.tokens} with a session token)")
        print(f"  {self.twins} times the same, oddly and plainly written")
        for (oracle, what), count in sorted(self.agreed.items()):
            print(f"  {oracle}: {count} times the same {what}")
        for feature, counts in sorted(self.features.items()):
            print(f"  {feature}: {counts['success']} successes, "
                  f"{counts['error']} errors")
        for reason, count in self.covered.items():
            print(f"  meant, {count} times: {reason}")

    def check(self):
        if self.pairs < LEAST_PAIRS:
            self.failures.append(f"only {self.pairs} pairs were compared")
        if self.tokens < LEAST_TOKENS:
            self.failures.append(f"only {self.tokens} had a session token")
        if self.twins < LEAST_TWINS:
            self.failures.append(f"only {self.twins} were written oddly")
        for feature, counts in sorted(self.features.items()):
            for outcome in ("success", "error"):
                if not counts[outcome] and not (
                        outcome == "success" and feature in ONLY_ERRORS):
                    self.failures.append(
                        f"{feature} was never compared with {outcome}")
        for row in ROWS:
            if not self.covered[row.reason]:
                self.failures.append(
                    f"no case differs as was meant: {row.reason}")


def main():
    cases, ours, botocore, sdk = map(read, sys.argv[1:])
    comparison = Comparison()
    assert len(cases) == len(ours) == len(botocore) == len(sdk), [
        len(cases), len(ours), len(botocore), len(sdk)]
    for case, our, one, other in zip(cases, ours, botocore, sdk):
        comparison.add(case, our, {"botocore": one, "SDK": other})
    comparison.report()
    comparison.check()
    for failure in comparison.failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if comparison.failures else 0)


if __name__ == "__main__":
    main()
