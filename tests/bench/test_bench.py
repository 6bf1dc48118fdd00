"""make bench: its table and plots, and what bench_core counts."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench  # noqa: E402

BUILD = pathlib.Path(os.environ.get("builddir", "."))

ROW = {"row": "a value", "budget": "<= 2 x it", "limit": 2, "measured": 1.7,
       "ours": "160 ns", "baseline": "94 ns", "runs": 5}


# ---- the table ----------------------------------------------------------------


@pytest.mark.parametrize("change, want", [
    ({}, "pass"),
    ({"measured": 2}, "pass"),
    ({"measured": 2.001}, "short"),
    ({"limit": 0, "measured": 0}, "pass"),
    ({"limit": 0, "measured": 1}, "short"),
])
def test_a_row_passes_up_to_its_limit(change, want):
    assert bench.verdict({**ROW, **change}) == want


def test_a_row_without_a_limit_has_no_verdict():
    row = {**ROW, "budget": None, "limit": None}
    assert bench.verdict(row) == ""
    assert "None" not in "".join(bench.table([row]))
    del row["limit"]
    assert bench.verdict(row) == ""


def test_the_columns_stand_below_each_other():
    lines = bench.table([ROW, {**ROW, "row": "a value of another kind",
                               "measured": 2.5}])
    assert lines[0].split() == ["what", "budget", "ours", "baseline",
                                "measured", "runs"]
    assert {line.index("160 ns") for line in lines[2:]} == {
        lines[0].index("ours")}
    assert [line.split()[-1] for line in lines[2:]] == ["pass", "short"]


# ---- plots --------------------------------------------------------------------

PLOT = {"plot": "cost", "unit": "ns", "x_name": "series", "x": [10, 1000],
        "lines": {"ours": [50, 100], "baseline": [25, 100]}}


def rows_of(sign, lines):
    """How many rows above the axis the sign stands, from left to right."""
    axis = next(i for i, line in enumerate(lines) if "+--" in line)
    found = [(line.index("|") + 1 + column, axis - 1 - i)
             for i, line in enumerate(lines[1:axis], 1)
             for column, there in enumerate(line[line.index("|") + 1:])
             if there == sign]
    return [height for _, height in sorted(found)]


def test_a_plot_begins_at_0_and_ends_at_the_largest_number():
    lines = bench.plot(PLOT)
    assert rows_of("*", lines) == [bench.HEIGHT // 2, bench.HEIGHT]
    assert rows_of("o", lines) == [bench.HEIGHT // 4, bench.HEIGHT]
    assert lines[-3].split() == ["series", "10", "1,000"]
    assert lines[-2].split() == ["*", "ours", "50", "100"]
    assert lines[-1].split() == ["o", "baseline", "25", "100"]


def test_a_plot_of_nothing_but_0_stays_on_the_axis():
    lines = bench.plot({**PLOT, "lines": {"ours": [0, 0]}})
    assert rows_of("*", lines) == [0, 0]


# ---- parts --------------------------------------------------------------------


def run(monkeypatch, *programs):
    """The exit status of bench.py with parts that are lines of Python."""
    monkeypatch.setattr(bench, "parts", lambda: {
        str(i): [sys.executable, "-c", program]
        for i, program in enumerate(programs)})
    return bench.main([])


def printing(*rows):
    return "\n".join(f"print({json.dumps(row)!r})" for row in rows)


def test_all_pass(monkeypatch, capfd):
    assert run(monkeypatch, printing(ROW), printing(ROW, PLOT)) == 0
    out = capfd.readouterr().out
    assert out.count("pass\n") == 2 and "cost (ns)" in out


@pytest.mark.parametrize("programs", [
    [printing({**ROW, "measured": 3}), printing(ROW)],
    [printing(ROW) + "\nraise SystemExit(1)"],
    ["print('nothing to say')"],
], ids=["one is short", "a part that fails", "no row"])
def test_not_all_pass(monkeypatch, programs):
    assert run(monkeypatch, *programs) == 1


def test_what_a_part_says_beside_its_rows_is_shown(monkeypatch, capfd):
    assert run(monkeypatch, "print('a remark')\n" + printing(ROW)) == 0
    assert "a remark\n" in capfd.readouterr().out


# ---- bench_core ---------------------------------------------------------------


def test_bench_core_counts_right():
    """It ends with a sentence when a value does not arrive, when allocations
    are not seen, or when a body cannot be made again from its data."""
    done = subprocess.run(
        [BUILD / "tests/bench/bench_core", "--quick",
         BUILD / ".libs/write_cloudwatch.so"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300,
        check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    rows = {line["row"]: line for line in lines if "row" in line}
    allocations = [row for name, row in rows.items()
                   if name.startswith("allocations")]
    assert [row["measured"] for row in allocations] == [0]
    assert all(row["measured"] > 0 for name, row in rows.items()
               if not name.startswith("allocations"))
    bench.table(rows.values())
    assert [bench.plot(line)[0] for line in lines if "plot" in line]
