"""The command lines of SCALING ON IT and of QUICK START's alarm, as one types
them, by the AWS command line itself: what it sends is what the stacks ask for.
"""

import http.server
import json
import pathlib
import re
import subprocess
import threading
import urllib.parse

import pytest

import asked
from aws_shapes import tree_of
from test_scaling_published import BY_GROUP, CASES, GROUP_LINES
from test_scaling_stacks import FOLDER, made, stack

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()


def chapter(name):
    return MANUAL.split(f'=head1 {name}\n')[1].split('\n=head1 ')[0]


def blocks(name):
    """The verbatim paragraphs of a chapter."""
    return [re.sub(r'^  ', '', block, flags=re.M) for block in
            re.findall(r'(?:^  .*\n)+', chapter(name), re.M)]


def of(*start):
    """The paragraphs of SCALING ON IT that begin so."""
    found = [block for block in blocks('SCALING ON IT')
             if block.startswith(start)]
    assert found, start
    return found


COMMANDS = [*of('aws '), *[block for block in blocks('QUICK START')
                           if block.startswith('aws cloudwatch put-metric-al')]]


# What CloudWatch wants of an alarm on one metric, although the model does not.
DUE = {'PutMetricAlarm': ['MetricName', 'Namespace', 'Statistic', 'Period',
                          'Threshold']}


class Recorder(http.server.ThreadingHTTPServer):
    """Says yes to everything that is asked in the Query protocol."""

    daemon_threads = True

    def __init__(self):
        self.forms = []
        super().__init__(('127.0.0.1', 0), _Handler)
        self.url = f'http://127.0.0.1:{self.server_port}'
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        self.server.forms.append(form)
        action = form['Action']
        answer = (f'<{action}Response><{action}Result/><ResponseMetadata>'
                  '<RequestId>1</RequestId></ResponseMetadata>'
                  f'</{action}Response>').encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/xml')
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def typed(folder, line):
    """The form that a command line sends, typed in the folder of the stacks."""
    program = folder / 'aws'
    with Recorder() as service:
        program.write_text('#!/bin/sh\nexec /usr/bin/aws --no-cli-pager '
                           f'--endpoint-url {service.url} "$@"\n')
        program.chmod(0o700)
        done = subprocess.run(
            ['/bin/sh', '-ec', line], cwd=FOLDER, capture_output=True,
            text=True, timeout=120, env={
                'PATH': f'{folder}:/usr/bin:/bin', 'HOME': str(folder),
                'AWS_DEFAULT_REGION': 'eu-west-1', 'AWS_ACCESS_KEY_ID': 'A',
                'AWS_SECRET_ACCESS_KEY': 'dummy', 'AWS_MAX_ATTEMPTS': '1'})
        assert done.returncode == 0, done.stderr
        (form,) = service.forms
    return form


def plain(tree):
    """A form's structures and lists as the API has them."""
    if not isinstance(tree, dict):
        return {'true': True, 'false': False}.get(tree, tree)
    if set(tree) == {'member'}:
        return [plain(tree['member'][number])
                for number in sorted(tree['member'], key=int)]
    return {name: plain(one) for name, one in tree.items()}


def sent(folder, line):
    """(action, parameters) of a command line."""
    parameters = plain(tree_of(typed(folder, line)))
    del parameters['Version']
    return parameters.pop('Action'), parameters


def given(parameters):
    return {one['ParameterKey']: one['ParameterValue']
            for one in parameters['Parameters']}


@pytest.mark.parametrize('line', COMMANDS,
                         ids=[f'{i}' for i in range(len(COMMANDS))])
def test_command(tmp_path, line):
    action, parameters = sent(tmp_path, line)
    if action == 'CreateStack':
        check_stack(parameters)
    else:
        check_call(action, parameters)


def check_stack(parameters):
    assert parameters['TemplateBody'].strip() == (
        FOLDER / 'fleet.yaml').read_text().strip()
    assert len(parameters['TemplateBody']) <= 51200  # more has to lie in S3
    assert parameters['Capabilities'] == ['CAPABILITY_IAM']
    wishes = given(parameters)
    assert wishes.pop('AutoScalingGroup') == 'web-asg'
    assert stack(**wishes).resources
    if wishes['Namespace'] == 'Scalemate':
        assert wishes == {name: str(value) for name, value
                          in CASES['scalemate'].wishes.items()}


def check_call(action, parameters):
    """Nothing in it but what one of the stacks asks for under that name; only
    an ARN is another."""
    calls = {**asked.of_cloudformation(stack()), **asked.of_cloudformation(
        stack(Policy='target', MemoryOfHost=8000))}
    name = parameters.get('AlarmName') or parameters['PolicyName']
    call = calls[{'memory-low': 'memory-is-low'}.get(name, name)]
    assert set(DUE.get(action, ())) <= set(parameters)
    parameters = asked.fit(asked.shape_of(call.service, action), parameters)
    assert call.operation == action
    assert asked.findings(call._replace(parameters=parameters)) == []
    for one, value in parameters.items():
        if one not in ('AlarmActions', 'AlarmName', 'StepAdjustments'):
            assert without_period(call.parameters[one]) == value, one
    for step in parameters.get('StepAdjustments', ()):
        assert step == {'MetricIntervalUpperBound': 0, 'ScalingAdjustment': 1}
    assert call.parameters['AutoScalingGroupName'] == 'web-asg' if (
        action == 'PutScalingPolicy') else parameters['AlarmActions']


def without_period(tree):
    """A target's period is a minute unless told; Debian 12's aws is older than
    the parameter."""
    if isinstance(tree, list):
        return [without_period(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return {name: without_period(one) for name, one in tree.items()
            if name != 'Period'}


@pytest.mark.parametrize('old, new', [
    ('Average', 'Mean'), ('Megabytes', 'MB'), ('--threshold 500', ''),
    ('LessThanThreshold', 'GreaterThanThreshold'),
    ('Memory Available', 'MemoryAvailable'), ('--period', '--periods')])
def test_broken_command(tmp_path, old, new):
    """The check above can fail."""
    (line,) = of('aws cloudwatch put-metric-alarm')
    assert old in line
    with pytest.raises(AssertionError):
        check_call(*sent(tmp_path, line.replace(old, new)))


def test_module():
    """The module's arguments are variables, and make the same as the stack."""
    (text,) = of('module ')
    arguments = dict(re.findall(r'(\w+) += (.+)', text))
    assert arguments.pop('source') == '"./terraform"'
    values = {name: json.loads(value) for name, value in arguments.items()}
    assert values.pop('autoscaling_group') == 'web-asg'
    (line, _) = of('aws cloudformation')
    wishes = dict(re.findall(r'ParameterKey=(\w+),ParameterValue=(\S+)', line))
    del wishes['AutoScalingGroup']
    assert asked.of_terraform(made(**values)) == asked.of_cloudformation(
        stack(**wishes))


def test_groups():
    """The lines that test_scaling_published.py runs, and the names it gives."""
    text = chapter('SCALING ON IT')
    assert GROUP_LINES in text
    for name in (*BY_GROUP, 'Resolution', 'Samples', 'MemoryOfHost', 'Policy'):
        assert f'C<{name}>' in text, name


def test_missing_data():
    """The table of what each alarm does without data."""
    text = chapter('SCALING ON IT')
    calls = asked.of_cloudformation(stack(NoticeTopic='arn:aws:sns:x:1:y'))
    alarms = {name: call.parameters['TreatMissingData']
              for name, call in calls.items() if 'Alarm' in call.operation}
    assert alarms == {
        name: treat for names, treat in re.findall(
            r'^  ([a-z][a-z, -]+) +(missing|notBreaching|breaching) ',
            text, re.M)
        for name in names.strip().split(', ')}


def test_price():
    """The table of prices: metrics that the alarms look at, times the price of
    each; requests of a month."""
    rows = re.findall(r'^  by (.+?) {2,}(\d+) +([\d.]+) +([\d,]+) +([\d.]+)$',
                      chapter('SCALING ON IT'), re.M)
    flushes = {'the minute': 60, 'ten seconds, sent so': 10,
               'ten seconds, sent by one': 1}
    assert [row[0] for row in rows] == list(flushes)
    for name, count, usd, requests, usd_requests in rows:
        wishes = {} if name == 'the minute' else CASES['fast'].wishes
        calls = [call for call in asked.of_cloudformation(stack(
            NoticeTopic='arn:aws:sns:x:1:y', **wishes)).values()
            if call.operation == 'PutMetricAlarm']
        price = sum(0.30 if metric.period < 60 else 0.10
                    for call in calls for metric in asked.metrics(call))
        month = 30 * 86400 // flushes[name]
        assert (len(calls), f'{price:.2f}', f'{month:,}',
                f'{month / 1e5:.2f}') == (int(count), usd, requests,
                                          usd_requests)
