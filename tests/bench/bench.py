"""make bench: what the plugin costs, each budget beside its baseline.

    bench.py [PART...]      core, daemon; all that are there if none is named

A part is a program that prints a line of JSON for each row and each plot:

    {"row": "write callback, known series",     what is measured
     "budget": "<= 2 x baseline",               in words; "" or null: none
     "limit": 2.0,                              absent or null if there is none
     "measured": 1.7,                           passes up to the limit
     "ours": "160 ns", "baseline": "94 ns",     what it comes from, as texts
     "runs": 5}                                 of which it is the median

    {"plot": "cost of a value", "unit": "ns", "x_name": "series",
     "x": [10, 1000], "lines": {"ours": [150, 160], "baseline": [80, 90]}}

Other lines are shown as they are.  builddir is what was built for this
(Makefile.am).  Exit status 0 if no row is short and every part came to its end.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("builddir", "."))
COLUMNS = ("what", "budget", "ours", "baseline", "measured", "runs", "")


def parts():
    """Name to command, in the order in which they run."""
    known = {"core": [BUILD / "tests/bench/bench_core",
                      BUILD / ".libs/write_cloudwatch.so"]}
    daemon = HERE / "daemon.py"
    if daemon.exists():
        known["daemon"] = [sys.executable, daemon]
    return known


# ---- the table --------------------------------------------------------------


def verdict(row):
    if row.get("limit") is None:
        return ""
    return "pass" if row["measured"] <= row["limit"] else "short"


def table(rows):
    """Lines of text."""
    cells = [COLUMNS] + [
        (row["row"], row["budget"] or "", row["ours"], row["baseline"],
         f"{row['measured']:.3g}", str(row["runs"]), verdict(row))
        for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width
                       in zip(line, widths)).rstrip() for line in cells]
    return [lines[0], "-" * len(lines[0])] + lines[1:]


# ---- plots ------------------------------------------------------------------

HEIGHT = 12
WIDTH = 60
SIGNS = "*o+x"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plot(data):
    """Lines of text: the y axis from 0, a column for each x, the numbers
    below."""
    top = max(max(line) for line in data["lines"].values()) or 1
    step = max(WIDTH // len(data["x"]), 12)
    grid = [[" "] * (step * len(data["x"])) for _ in range(HEIGHT + 1)]
    for sign, line in zip(SIGNS, data["lines"].values()):
        for i, y in enumerate(line):
            row, column = HEIGHT - round(y / top * HEIGHT), i * step + step // 2
            while grid[row][column] != " ":
                column += 1  # two lines that meet stand side by side
            grid[row][column] = sign
    left = max(len(number(top)), max(len(name) + 2 for name in data["lines"]),
               len(data["x_name"]))
    lines = [f"{data['plot']} ({data['unit']})"]
    for i, row in enumerate(grid):
        label = number(top * (HEIGHT - i) / HEIGHT) if i % 4 == 0 else ""
        lines.append(f"{label:>{left}} |{''.join(row)}".rstrip())
    lines.append(" " * left + " +" + "-" * (step * len(data["x"])))
    texts = [(data["x_name"], data["x"])] + [
        (f"{sign} {name}", line)
        for sign, (name, line) in zip(SIGNS, data["lines"].items())]
    for name, line in texts:
        lines.append(f"{name:>{left}}  " + "".join(
            number(value).center(step) for value in line).rstrip())
    return lines


# ---- running ----------------------------------------------------------------


def run(name, command, rows, plots):
    """False when the part did not come to its end."""
    begin = time.monotonic()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                          text=True) as child:
        for line in child.stdout:
            data = json.loads(line) if line.startswith("{") else {}
            if "row" in data:
                rows.append(data)
                print(f"  {data['row']}: {data['measured']:.3g}", flush=True)
            elif "plot" in data:
                plots.append(data)
            else:
                print(line, end="", flush=True)
    print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)
    return child.returncode == 0


def main(names):
    known = parts()
    for name in names:
        if name not in known:
            print(f"no part {name}; there are: {' '.join(known)}")
            return 2
    rows, plots, broken = [], [], []
    for name in names or known:
        if not run(name, known[name], rows, plots):
            broken.append(name)
    for data in plots:
        print("", *plot(data), sep="\n")
    print("", *table(rows), sep="\n")
    for name in broken:
        print(f"{name} did not come to its end")
    is_short = any(verdict(row) == "short" for row in rows)
    return 1 if is_short or broken or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
