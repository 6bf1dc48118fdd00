"""The summary of contrib/quickstart --config, of runs that are made up."""

import json
import subprocess

import pytest
from daemon import ROOT

RUNNING = "[info] Initialization complete, entering read-loop.\n"
NOW = "2026-11-27T17:15:57Z"


def series(name, **more):
    return {"namespace": "N", "name": name, "dimensions": {}, "unit": "Count",
            "resolution": 60, "identifier": "h/p/gauge-x", "metric": name,
            "time": NOW, "count": 1, "average": 1.5, "minimum": 1.5,
            "maximum": 1.5, **more}


def unselected(plugin, n, because='Type "t" does not match "gauge"'):
    return [{"identifier": f"h/{plugin}-{i}/gauge-x", "nearest": "M",
             "because": because} for i in range(n)]


def status(alive, every, others=(), n_others=None, selected=1, **more):
    counters = {"accepted": 0, "requests": 0, "failed_requests": 0,
                "retried": 0, "ambiguous": 0, "refused": 0, "dropped": {},
                "left_out": {"awaited": 0, "nan": 0, **more.pop("left_out", {})}}
    return {"schema": 1, "plugin": "write_cloudwatch", "version": "0.1.0",
            "host": "h", "node": "", "pid": 1, "time": NOW, "started": NOW,
            "stopped": True, "dry_run": True, "flush_interval": 60,
            "timeout": 10,
            "region": None, "endpoint": None, "credentials": None,
            "clock_offset": 0, "last_accepted": None, "next_attempt": None,
            "request_duration": None,
            "last_flush": {"time": NOW, "data": alive, "requests": 1},
            "troubles": [], "last_error": None,
            "metrics": {"alive": alive, "max": 1000},
            "identifiers": {"selected": selected, "unselected":
                            len(others) if n_others is None else n_others},
            "queue": {"data": 0, "bytes": 0, "oldest": None}, "spool": None,
            "counters": counters, "series": every, "unselected": list(others),
            **more}


@pytest.fixture
def show(tmp_path):
    def summary(*statuses, log=RUNNING, **facts):
        (tmp_path / "status").mkdir()
        for one in statuses:
            name = "json." + one["node"] if one["node"] else "json"
            (tmp_path / "status" / name).write_text(json.dumps(one))
        (tmp_path / "collectd.log").write_text(log)
        (tmp_path / "facts.json").write_text(json.dumps({
            "config": "/c.conf", "n_files": 1, "skipped": [], "left_out": {},
            "dropped": [], "given": [], "wait_s": 3, "late": {}, **facts}))
        result = subprocess.run(
            ["/usr/bin/python3", "-B", ROOT / "contrib/quickstart_summary.py",
             "summary", "--run", tmp_path], timeout=60, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={"LC_ALL": "C.UTF-8"})
        return result.returncode, result.stdout.decode()
    return summary


def test_long_lists_are_cut_and_counted(show):
    code, output = show(status(
        950, [series(f"M {i:03}") for i in range(900)],
        [one for i in range(25) for one in unselected(f"p{i:02}", 5)],
        n_others=700))
    assert code == 0
    assert output.count("  N  M 0") == 40
    assert "  N  M 039  {}  1.5 Count\n  and 910 more\n" in output
    assert "Not selected: 700 identifiers of 701.\n" in output
    assert output.count("nearest is") == 40
    assert "  and 3 more of p19\n  and those of 5 further plugins\n" in output
    assert len(output.splitlines()) < 170


@pytest.mark.parametrize("selected", [0, 1])
def test_plugins_that_nobody_wants_are_one_paragraph(show, selected):
    others = [*unselected("cpu", 3, 'Plugin "m" does not match "cpu"'),
              *unselected("df", 1, 'Plugin "m" does not match "df"'),
              *unselected("m", 1)]
    _, output = show(status(selected, [series("M")][:selected], others,
                            selected=selected))
    text = ('  of plugins that no <Metric> takes: cpu (3), df (1)\n    nearest '
            'is <Metric "M">: Plugin "m" does not match "cpu"\n')
    assert (text in output) == bool(selected)
    assert output.count("nearest is") == (2 if selected else 5)
    assert ("h/df-0/gauge-x" in output) != bool(selected)
    assert '  h/m-0/gauge-x\n    nearest is <Metric "M">: Type "t"' in output


def test_metrics_that_have_no_data_yet(show):
    waiting = status(2, [series("M")], left_out={"awaited": 3})
    code, output = show(waiting)
    assert code == 0
    assert "and 1 more without data in this run; some wait for %{ec2:...}" in output
    assert "would publish 2 metrics" in output


def test_texts_move_no_cursor(show):
    code, output = show(
        status(1, [series("\x1b[2JM", dimensions={"D": "\x9b31m"})],
               [{"identifier": "h/\x1b]0;x\x07/g", "nearest": "\r",
                 "because": "b\u202e"}]),
        log=RUNNING + "[warning] write_cloudwatch plugin: \x1b[1mw\n")
    assert code == 0
    assert not [char for char in output if char != "\n" and (
        ord(char) < 32 or 0x7f <= ord(char) < 0xa0 or char == "\u202e")], output


def test_messages_are_counted_and_cut(show):
    log = "".join(f"[error] other plugin: {i}\n" for i in range(30))
    code, output = show(status(1, [series("M")]), log="-x-[warning] "
                        "write_cloudwatch plugin: twice\n" + RUNNING
                        + "[warning] write_cloudwatch plugin: twice\n"
                        "[info] write_cloudwatch plugin: quiet\n" + log)
    assert code == 0
    assert "write_cloudwatch says:\n  warning: twice (2 times)\n" in output
    assert "error: other plugin: 9\n  and 20 messages more in " in output
    assert "quiet" not in output


def test_what_the_run_did_otherwise(show):
    code, output = show(
        status(1, [series("M")]), n_files=3, skipped=["/x does not parse"],
        left_out={"csv": "it writes", "rrdtool": "it writes", "exec": "it runs"},
        dropped=["StatusFile"], given=["memory", "tcpconns"],
        late={"snmp": 302.5})
    assert code == 0
    for line in ("/c.conf, 3 files in all", "  left out by collectd itself: /x "
                 "does not parse", "  not run: csv, rrdtool (it writes)",
                 "  not run: exec (it runs)", "added memory and tcpconns",
                 "  not obeyed, as it writes: StatusFile", "--timeout 303 waits"):
        assert line in output


@pytest.mark.parametrize("given", [[], ["memory"]])
def test_a_snippet_that_selects_nothing_of_what_it_was_given(show, given):
    code, output = show(status(0, [], unselected("p", 3), selected=0),
                        given=given)
    assert code == 1
    assert ("give the whole collectd.conf" in " ".join(output.split())) \
        == bool(given)


@pytest.mark.parametrize("statuses, log, said", [
    ([], "Parse error in file `x'\n", "error: Parse error in file `x'"),
    ([], "[error] no\n", "collectd does not run with this configuration"),
    ([], RUNNING, "collectd ended by itself, or not in time"),
    ([status(1, [series("M")], stopped=False)], RUNNING, "ended by itself"),
    ([status(0, [], unselected("p", 3), selected=0)], RUNNING,
     "Nothing would be published: no <Metric> selects"),
    ([status(1, [series("M")], node="a"), status(0, [], node="b"),
      status(0, [], node="c")], RUNNING,
     'Nothing would be published to the nodes "b", "c".'),
])
def test_what_is_no_good(show, statuses, log, said):
    code, output = show(*statuses, log=log)
    assert code == 1
    assert said in output
    assert "is good" not in output


@pytest.mark.parametrize("alive, requests, every_s, said", [
    (1, 1, 60, "1 metric and 43,200 requests, about 0.30 + 0.43 = 0.73 USD"),
    (30, 2, 10, "30 metrics and 518,400 requests, about 9.00 + 5.18 = 14.18"),
])
def test_what_a_month_costs(show, alive, requests, every_s, said):
    _, output = show(status(
        alive, [series("M")], flush_interval=every_s,
        last_flush={"time": NOW, "data": 1, "requests": requests}))
    assert said in " ".join(output.split())
    assert "prices of us-east-1, 20" in output
    assert "there may be up to" not in output


@pytest.mark.parametrize("alive, every_s, resolution, most", [
    (20, 60, 1, 2), (1001, 60, 60, 2), (400, 180, 60, 2)])
def test_more_requests_than_a_short_run_shows(show, alive, every_s, resolution,
                                              most):
    _, output = show(status(alive, [series("M", resolution=resolution)],
                            flush_interval=every_s))
    assert f"there may be up to {most}." in " ".join(output.split())
