"""Each option of <Plugin> and <Node> that says where data go, how, and how
many: in the real daemon, against the service on loopback."""

import re
import socket
import subprocess
import time

import pytest

import faults
from scene import (KEY, MINUTE, SECRET, Scene, config, feed, named, names,
                   node, publish, warnings)


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        yield one


def scope(request):
    """The region in the signature's scope."""
    return re.search(r'Credential=[^/]+/\d+/([^/]+)/monitoring/aws4_request',
                     request.headers['authorization'])[1]


# ---- namespace and region ---------------------------------------------------

@pytest.mark.parametrize('given, namespace', [
    (None, 'collectd'),
    ('MyApp/web tier', 'MyApp/web tier'),
    ('%{host}/%{plugin}', 'host/test'),
    ('%{env:STAGE|none}', 'blue'),
])
def test_namespace(scene, given, namespace):
    service = scene.service()
    daemon = scene.start(config(service, Namespace=given),
                         environment={'STAGE': 'blue'})
    publish(daemon, load=1)
    assert service.wait_datums(1, 10)[0]['Namespace'] == namespace


AWS_CONFIG = '[default]\nregion = sa-east-1\n'


@pytest.mark.parametrize('option, environment, region', [
    ('ap-southeast-2', {'AWS_REGION': 'us-west-1'}, 'ap-southeast-2'),
    (None, {'AWS_REGION': 'us-west-1', 'AWS_DEFAULT_REGION': 'us-west-2'},
     'us-west-1'),
    (None, {'AWS_DEFAULT_REGION': 'us-west-2'}, 'us-west-2'),
    (None, {}, 'sa-east-1'),
    (None, {'AWS_REGION': ' '}, 'sa-east-1'),
])
def test_region_is_signed_for(scene, option, environment, region):
    service = scene.service(region=region)
    (scene.folder / 'config').write_text(AWS_CONFIG)
    daemon = scene.start(
        config(service, Region=option),
        environment={'AWS_CONFIG_FILE': str(scene.folder / 'config'),
                     **environment})
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert scope(service.requests[0]) == region


# ---- endpoint ---------------------------------------------------------------

@pytest.mark.parametrize('path, seen', [
    ('', '/'), ('/', '/'), ('/a/b', '/a/b'), ('/a/b/', '/a/b'),
    ('/with-sign_~.1', '/with-sign_~.1'),
])
def test_endpoint_with_a_path_and_a_port(scene, path, seen):
    """The service recomputes the signature over path and host."""
    service = scene.service()
    daemon = scene.start(config(None, Endpoint=service.url + path))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    request, = service.requests
    assert request.path == seen
    assert request.headers['host'] == f'127.0.0.1:{service.port}'


SERVICES = '''[default]
services = mine
endpoint_url = {other}
[services mine]
cloudwatch =
  endpoint_url = {right}
'''


@pytest.mark.parametrize('option, environment, file', [
    ('right', {'AWS_ENDPOINT_URL_CLOUDWATCH': 'other',
               'AWS_ENDPOINT_URL': 'other'}, ''),
    (None, {'AWS_ENDPOINT_URL_CLOUDWATCH': 'right',
            'AWS_ENDPOINT_URL': 'other'}, ''),
    (None, {'AWS_ENDPOINT_URL': 'right'}, SERVICES.replace('right', 'other')),
    (None, {}, SERVICES),
    (None, {}, '[default]\nendpoint_url = {right}\n'),
    ('right', {'AWS_ENDPOINT_URL': 'other',
               'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'true'}, ''),
])
def test_where_the_endpoint_is_found(scene, option, environment, file):
    urls = {'right': scene.service().url, 'other': scene.service().url}
    (scene.folder / 'config').write_text(file.format(**urls))
    daemon = scene.start(
        config(None, Endpoint=urls.get(option)),
        environment={'AWS_CONFIG_FILE': str(scene.folder / 'config'),
                     **{name: urls.get(value, value)
                        for name, value in environment.items()}})
    publish(daemon, load=1)
    right, other = scene.services
    right.wait_datums(1, 10)
    assert not other.requests


PLAIN = 'http://monitoring.test'  # never resolved: a proxy is asked for it


@pytest.mark.parametrize('option', [True, False])
def test_plain_http_beyond_loopback_is_warned_of_once(scene, option):
    service = scene.service()
    how = {'Endpoint': PLAIN} if option else {}
    environment = {} if option else {'AWS_ENDPOINT_URL': PLAIN}
    daemon = scene.start(
        config(None, Proxy=scene.proxy(service).url, **how),
        environment=environment)
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    line, = warnings(daemon)
    assert PLAIN in line and 'https:' in line and 'encrypt' in line


def test_plain_http_on_loopback_is_not_warned_of(scene):
    service = scene.service()
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert not warnings(daemon)


# ---- host names and TLS -----------------------------------------------------

FIPS, DUAL = {'UseFIPS': True}, {'UseDualStack': True}
HOSTS = [
    ('us-east-1', {}, 'monitoring.us-east-1.amazonaws.com'),
    ('us-east-1', FIPS, 'monitoring-fips.us-east-1.amazonaws.com'),
    ('us-east-1', DUAL, 'monitoring.us-east-1.api.aws'),
    ('us-east-1', FIPS | DUAL, 'monitoring-fips.us-east-1.api.aws'),
    ('cn-north-1', {}, 'monitoring.cn-north-1.amazonaws.com.cn'),
    ('cn-north-1', DUAL, 'monitoring.cn-north-1.api.amazonwebservices.com.cn'),
    ('us-gov-west-1', {}, 'monitoring.us-gov-west-1.amazonaws.com'),
    ('us-gov-west-1', FIPS, 'monitoring.us-gov-west-1.amazonaws.com'),
    ('eusc-de-east-1', {}, 'monitoring.eusc-de-east-1.amazonaws.eu'),
]


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """(certificate, key) of one server that has all the names."""
    folder = tmp_path_factory.mktemp('tls')
    hosts = ['DNS:' + host for host in sorted({row[2] for row in HOSTS})]
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
         '-subj', '/CN=loopback', '-addext',
         'subjectAltName=IP:127.0.0.1,' + ','.join(hosts),
         '-keyout', 'key.pem', '-out', 'certificate.pem'],
        cwd=folder, check=True, capture_output=True, timeout=30)
    return str(folder / 'certificate.pem'), str(folder / 'key.pem')


@pytest.mark.parametrize('region, how, host', HOSTS)
def test_host_names(scene, certificate, region, how, host):
    """The whole way: the proxy is asked for the host, whose name is in the
    certificate that is verified, and in the signed header."""
    service = scene.service(tls=certificate, region=region)
    proxy = scene.proxy(service)
    daemon = scene.start(config(None, Region=region, Proxy=proxy.url,
                                CACert=certificate[0], **how))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert proxy.asked == [f'CONNECT {host}:443 HTTP/1.1']
    assert service.requests[0].headers['host'] == host
    assert service.requests[0].path == '/'


def test_configured_endpoint_urls_ignored(scene):
    proxy = scene.proxy()
    daemon = scene.start(
        config(None, Region='us-east-1', Proxy=proxy.url),
        environment={'AWS_ENDPOINT_URL': 'http://127.0.0.1:9',
                     'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS': 'TRUE'})
    publish(daemon, load=1)
    assert ' monitoring.us-east-1.amazonaws.com:443 ' in proxy.wait()[0]
    daemon.wait_for(r'cannot reach monitoring.us-east-1.amazonaws.com '
                    r'\(the proxy answered 502; ')


@pytest.mark.parametrize('trust', ['CACert', 'CAPath', 'AWS_CA_BUNDLE',
                                   'VerifyPeer'])
def test_certificates_that_are_trusted(scene, certificate, trust):
    service = scene.service(tls=certificate)
    folder = scene.folder / 'trusted'
    folder.mkdir()
    (folder / 'one.pem').write_text(open(certificate[0]).read())
    subprocess.run(['openssl', 'rehash', folder], check=True, timeout=10)
    value = {'CACert': certificate[0], 'CAPath': str(folder),
             'VerifyPeer': False}
    environment = {}
    if trust == 'AWS_CA_BUNDLE':
        environment[trust] = certificate[0]
    daemon = scene.start(config(service, **{
        name: value[name] for name in value if name == trust}),
        environment=environment)
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    warned = [line for line in warnings(daemon) if 'CACert instead' in line]
    assert len(warned) == (1 if trust == 'VerifyPeer' else 0)
    assert len(warnings(daemon)) == len(warned)


@pytest.mark.parametrize('host, how', [
    ('127.0.0.1', False),  # a certificate that nobody vouches for
    ('localhost', True),  # a trusted one of another name
])
def test_certificates_that_are_refused(scene, certificate, host, how):
    service = scene.service(tls=certificate)
    daemon = scene.start(config(
        None, Endpoint=f'https://{host}:{service.port}',
        CACert=certificate[0] if how else None))
    publish(daemon, load=1)
    daemon.wait_for(rf'\[warning\] .*cannot reach {host}:\d+ \(SSL.*the data '
                    'wait', 10)
    assert not service.requests
    daemon.stop()
    daemon.wait_for(r'\[error\] .*1 data could not be sent .* lost')


# ---- proxies ----------------------------------------------------------------

def test_proxy(scene):
    service = scene.service()
    proxy = scene.proxy(service)
    url = proxy.url.replace('//', '//user:passwordEXAMPLE@')
    scene.secrets.add('passwordEXAMPLE')
    daemon = scene.start(config(None, Endpoint=PLAIN, Proxy=url))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert proxy.asked == [f'POST {PLAIN}/ HTTP/1.1']
    assert 'Proxy-Authorization: Basic ' in proxy.headers[0]
    assert service.requests[0].headers['host'] == 'monitoring.test'


@pytest.mark.parametrize('no_proxy', ['127.0.0.1', '*', 'a.test,127.0.0.1'])
def test_no_proxy(scene, no_proxy):
    service = scene.service()
    proxy = scene.proxy()
    daemon = scene.start(config(service, Proxy=proxy.url, NoProxy=no_proxy))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert not proxy.asked


@pytest.mark.parametrize('endpoint, environment, used', [
    (PLAIN, {'http_proxy': 'first', 'https_proxy': 'second'}, 'first'),
    ('https://monitoring.test', {'http_proxy': 'second',
                                 'https_proxy': 'first'}, 'first'),
    ('https://monitoring.test', {'HTTPS_PROXY': 'first'}, 'first'),
    ('https://monitoring.test', {'all_proxy': 'first'}, 'first'),
    (None, {'http_proxy': 'first', 'no_proxy': '127.0.0.1'}, None),
])
def test_proxy_of_the_environment(scene, endpoint, environment, used):
    service = scene.service()
    proxies = {'first': scene.proxy(), 'second': scene.proxy()}
    daemon = scene.start(
        config(service, **({'Endpoint': endpoint} if endpoint else {})),
        environment={name: proxies[value].url if value in proxies else value
                     for name, value in environment.items()})
    publish(daemon, load=1)
    if used:
        proxies[used].wait()
    else:
        service.wait_datums(1, 10)
    assert {name for name in proxies if proxies[name].asked} == \
        ({used} if used else set())


def test_proxy_option_goes_before_the_environment(scene):
    service = scene.service()
    proxy, other = scene.proxy(service), scene.proxy()
    daemon = scene.start(config(None, Endpoint=PLAIN, Proxy=proxy.url),
                         environment={'http_proxy': other.url})
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert proxy.asked and not other.asked


# ---- protocol and compression -----------------------------------------------

FORMS = '''
<Metric "value %{type_instance}">
  Plugin "test"
  Unit "Megabytes"
  Dimension "Host" "%{host}"
  Dimension "Of" "a & b=c/d"
</Metric>
<Metric "set">
  Plugin "test"
  Statistics "set"
  StorageResolution 1
</Metric>
<Metric "all">
  Plugin "test"
  Unit "Count"
</Metric>
'''


def bare(datums):
    """What was sent, without how."""
    return {name: {**datum, 'Request': None}
            for name, datum in named(datums).items()}


def test_protocols_carry_the_same_data(scene):
    services = {name: scene.service() for name in ('json', 'query')}
    daemon = scene.start(config(
        None, *(node(name, services[name], Protocol=name)
                for name in services), metric=FORMS,
        Namespace='A b', Region=None))
    publish(daemon, a=1.5, b=-3e-7, c=1.5, d=12345678901)
    sent = {name: service.wait_datums(6, 10)
            for name, service in services.items()}
    assert {'Value', 'Values', 'StatisticValues'} <= {
        member for datum in sent['json'] for member in datum}
    assert bare(sent['json']) == bare(sent['query'])

    for name, content_type, target in (
            ('json', 'application/x-amz-json-1.0',
             'GraniteServiceVersion20100801.PutMetricData'),
            ('query', 'application/x-www-form-urlencoded; charset=utf-8',
             None)):
        headers = services[name].requests[0].headers
        assert headers['content-type'] == content_type
        assert headers.get('x-amz-target') == target


def test_endpoint_that_does_not_know_json(scene):
    service = scene.service()
    service.behave([faults.refuse('InvalidAction')])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*InvalidAction.*Protocol "query"', 10)


def sizes(service):
    return [(len(request.decoded), request.headers.get('content-encoding'))
            for request in service.requests]


@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_compression_begins_at_10240_bytes(scene, protocol):
    """The namespace makes bodies of exactly the sizes that matter."""
    values = {f'm{i:03}': 1 for i in range(82 if protocol == 'query' else 184)}
    service = scene.service()
    daemon = scene.start(config(service, Namespace='N', Protocol=protocol))
    publish(daemon, **values)
    service.wait_datums(len(values), 10)
    (size, encoding), = sizes(service)
    assert encoding is None and 10240 - 250 < size < 10240, size

    services = [scene.service() for _ in range(3)]
    length = 1 + 10240 - size
    daemon = scene.start(config(
        None, node('below', services[0], Namespace='N' * (length - 1)),
        node('at', services[1], Namespace='N' * length),
        node('off', services[2], Namespace='N' * length, Compression=False),
        Region=None, Protocol=protocol))
    publish(daemon, **values)
    for service in services:
        service.wait_datums(len(values), 10)
    assert [sizes(service) for service in services] == [
        [(10239, None)], [(10240, 'gzip')], [(10240, None)]]
    assert len(services[1].requests[0].body) < 3000


# ---- time-outs --------------------------------------------------------------

def test_timeout(scene):
    service = scene.service()
    service.behave([faults.hang()])
    daemon = scene.start(config(service, Timeout=0.3))
    publish(daemon, load=1)
    daemon.wait_for(rf'no answer from 127.0.0.1:{service.port} \(timed out '
                    r'after 0\.[34] s; ', 10)
    service.wait_datums(1, 10)


def test_connect_timeout(scene):
    """A port whose queue of connections is full answers nothing."""
    with socket.socket() as deaf:
        deaf.bind(('127.0.0.1', 0))
        deaf.listen(0)
        queued = []
        for _ in range(3):
            queued.append(socket.socket())
            queued[-1].setblocking(False)
            queued[-1].connect_ex(deaf.getsockname())
        daemon = scene.start(config(
            None, Endpoint=f'http://127.0.0.1:{deaf.getsockname()[1]}',
            ConnectTimeout=0.3))
        publish(daemon, load=1)
        daemon.wait_for(r'cannot reach 127.0.0.1:\d+ \(timed out after '
                        r'0\.[34] s; ', 10)
        for one in queued:
            one.close()


# ---- what is said -----------------------------------------------------------

LOGGED = '''
<Metric "value">
  Plugin "test"
  TypeInstance "a"
  Unit "Megabytes"
  Dimension "Host" "%{host}"
  Dimension "Stage" "blue"
</Metric>
<Metric "values">
  Plugin "test"
  TypeInstance "a" "b" "c"
</Metric>
<Metric "set">
  Plugin "test"
  TypeInstance "a" "b" "c"
  Statistics "set"
</Metric>
'''.replace(' "b" "c"', '\n  TypeInstance "b"\n  TypeInstance "c"')


def test_log_published(scene):
    """One line for each datum, when it was accepted."""
    service = scene.service()
    service.behave([faults.refuse('InternalServiceError')])
    daemon = scene.start(config(service, metric=LOGGED, Namespace='My/App',
                                LogPublished=True))
    feed(daemon, at=1700000000 // 60 * 60, a=9)  # too old: not published
    publish(daemon, a=1.5, b=2, c=2)
    service.wait_datums(3, 10)
    daemon.wait_for('sending again')
    stamp = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(MINUTE))
    start = '[info] write_cloudwatch plugin: published My/App '
    lines = [line[len(start):] for line in daemon.lines if 'published' in line]
    assert sorted(lines) == [
        f'"set": SampleCount 3, Sum 5.5, Minimum 1.5, Maximum 2 None at '
        f'{stamp}',
        f'"value" {{Host=host, Stage=blue}}: 1.5 Megabytes at {stamp}',
        f'"values": 1.5, 2 x2 None at {stamp}',
    ]


def test_published_is_not_logged_by_default(scene):
    service = scene.service()
    daemon = scene.start(config(service))
    publish(daemon, a=1)
    service.wait_datums(1, 10)
    daemon.stop()
    assert 'published' not in daemon.log


# ---- nodes ------------------------------------------------------------------

def test_what_nodes_inherit(scene):
    """Groups as a whole or not at all; all else singly."""
    first = scene.service()
    second = scene.service(region='us-west-2', credentials={
        'AKIDOTHER': ('secretOTHER', None)})
    scene.secrets.add('secretOTHER')
    outer = ['Dimension "Host" "%{host}"', 'Dimension "Plugin" "%{plugin}"',
             'DimensionSet "Plugin"', 'SessionToken "tokenEXAMPLEtoken=="']
    first.credentials[KEY] = (SECRET, 'tokenEXAMPLEtoken==')
    daemon = scene.start(config(
        first, *outer,
        '<Node "same">', '</Node>',
        '<Node "other">',
        f'Endpoint "{second.url}"', 'Region "us-west-2"',
        'AccessKeyId "AKIDOTHER"', 'SecretAccessKey "secretOTHER"',
        '<Metric "mine">', 'Plugin "test"', '</Metric>',
        'Dimension "Type" "%{type}"', 'Protocol "query"',
        '</Node>', Namespace='Outer'))
    publish(daemon, load=1)

    datum, = first.wait_datums(1, 10)
    assert datum['MetricName'] == 'load'
    assert datum['Dimensions'] == {'Plugin': 'test'}
    assert datum['Namespace'] == 'Outer' and datum['AccessKey'] == KEY

    datum, = second.wait_datums(1, 10)
    assert datum['MetricName'] == 'mine'  # Metric: a group
    assert datum['Dimensions'] == {'Type': 'gauge'}  # without the set
    assert datum['Namespace'] == 'Outer'  # alone, so inherited
    assert datum['AccessKey'] == 'AKIDOTHER'
    request, = second.requests  # without the token
    assert 'x-amz-security-token' not in request.headers
    assert 'json' not in request.headers['content-type']
    assert 'json' in first.requests[0].headers['content-type']


def test_place_is_inherited_as_a_whole(scene):
    """A Region of its own: the endpoint of <Plugin> is not for this node."""
    service, proxy = scene.service(), scene.proxy()
    daemon = scene.start(config(
        service, '<Node "far">', 'Region "us-west-2"',
        f'Proxy "{proxy.url}"', '</Node>'))
    publish(daemon, load=1)
    assert ' monitoring.us-west-2.amazonaws.com:443 ' in proxy.wait()[0]
    assert not service.requests


def test_credentials_are_inherited_as_a_whole(scene):
    """A Profile of its own: the keys of <Plugin> are not for this node."""
    service = scene.service(credentials={'AKIDFILE': ('secretFILE', None)})
    scene.secrets.add('secretFILE')
    file = scene.folder / 'credentials'
    file.write_text('[mine]\naws_access_key_id = AKIDFILE\n'
                    'aws_secret_access_key = secretFILE\n')
    daemon = scene.start(config(
        service, '<Node "a">', 'Profile "mine"', '</Node>'),
        environment={'AWS_SHARED_CREDENTIALS_FILE': str(file)})
    publish(daemon, load=1)
    assert service.wait_datums(1, 10)[0]['AccessKey'] == 'AKIDFILE'


def test_nodes_as_targets_of_a_chain(scene):
    services = [scene.service(), scene.service()]
    chain = '''<Chain "PostCache">
  <Rule>
    <Match "regex">
      TypeInstance "^only-b$"
    </Match>
    <Target "write">
      Plugin "write_cloudwatch/b"
    </Target>
    Target "stop"
  </Rule>
  <Target "write">
    Plugin "write_cloudwatch/a"
    Plugin "write_cloudwatch/b"
  </Target>
</Chain>
'''
    daemon = scene.start(
        config(None, node('a', services[0]), node('b', services[1]),
               Region=None) + chain, before='LoadPlugin match_regex')
    publish(daemon, **{'both': 1, 'only-b': 2})
    assert names(services[1].wait_datums(2, 10)) == ['both', 'only-b']
    assert names(services[0].wait_datums(1, 10)) == ['both']


@pytest.mark.parametrize('fault', [faults.hang, faults.reset,
                                   lambda: faults.refuse('AccessDenied')])
def test_a_node_that_is_down_leaves_the_others_alone(scene, fault):
    down, up = scene.service(), scene.service()
    down.always(fault())
    daemon = scene.start(config(
        None, node('down', down), node('up', up), Region=None))
    for i in range(1, 4):
        publish(daemon, at=MINUTE + 60 * i, load=i)
        up.wait_datums(i, 5)
    assert not down.datums
    assert not warnings(daemon, 'plugin: up: ')
    if fault is not faults.hang:
        daemon.wait_for(r'\[warning\] .*plugin: down: ', 10)


# ---- MaxMetrics -------------------------------------------------------------

SETS = '''
<Metric "%{type_instance}">
  Plugin "test"
  Dimension "Host" "%{host}"
  Dimension "Type" "%{type}"
  DimensionSet "Host" "Type"
  DimensionSet "Host"
  DimensionSet ""
</Metric>
'''


def test_max_metrics(scene):
    """Fleet sets before host sets; a series that is known goes on."""
    service = scene.service()
    daemon = scene.start(config(service, metric=SETS, MaxMetrics=2))
    publish(daemon, a=1)
    assert [sorted(datum['Dimensions']) for datum in
            sorted(service.wait_datums(2, 10),
                   key=lambda datum: len(datum['Dimensions']))] == [
        [], ['Host']]
    publish(daemon, at=MINUTE + 60, a=2, b=1, c=1)
    service.wait_datums(4, 10)
    publish(daemon, at=MINUTE + 120, a=3, b=2, c=2)
    datums = service.wait_datums(6, 10)
    assert {datum['MetricName'] for datum in datums} == {'a'}
    line, = warnings(daemon)
    assert 'MaxMetrics' in line and 'host/test/gauge-a' in line


def test_max_metrics_is_for_each_node(scene):
    services = [scene.service(), scene.service()]
    daemon = scene.start(config(
        None, node('one', services[0], MaxMetrics=1),
        node('many', services[1]), Region=None))
    publish(daemon, a=1, b=1)
    assert names(services[1].wait_datums(2, 10)) == ['a', 'b']
    assert names(services[0].wait_datums(1, 10)) == ['a']
