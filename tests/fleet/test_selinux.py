"""contrib/selinux, compiled and linked with Debian's reference policy: what it
adds to that, and no more; what it relies on is there.  No kernel loads it."""

import bz2
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = 'collectd_write_cloudwatch'
FOLDER = ROOT / 'contrib/selinux'
# httpd_t, which collectd's module names, is of apache's.
POLICY = [pathlib.Path('/usr/share/selinux/default', f'{name}.pp.bz2')
          for name in ('base', 'collectd', 'apache')]
# As sesearch says it.
ADDED = '''
allow collectd_aws_t collectd_aws_t:filesystem associate;
allow collectd_t cert_t:dir { getattr open read search };
allow collectd_t cert_t:file { getattr open read };
allow collectd_t cert_t:lnk_file { getattr read };
allow collectd_t collectd_aws_t:dir { getattr open read search };
allow collectd_t collectd_aws_t:file { getattr open read };
allow collectd_t collectd_aws_t:lnk_file { getattr read };
allow collectd_t collectd_t:capability dac_read_search; \
[ collectd_read_aws_of_users ]:True
allow collectd_t collectd_t:netlink_tcpdiag_socket \
{ create nlmsg_read read write };
allow collectd_t http_port_t:tcp_socket name_connect;
'''.split('\n')[1:-1]
# (type, class): what the daemon does there, by the reference policy.
THERE = {
    ('collectd_var_lib_t', 'dir'):
    'add_name create getattr open read remove_name search write',
    ('collectd_var_lib_t', 'file'):
    'create getattr lock open read rename setattr unlink write',
    ('proc_t', 'file'): 'getattr open read',
    ('proc_net_t', 'file'): 'getattr open read',
    ('net_conf_t', 'file'): 'getattr open read',
    ('collectd_t', 'tcp_socket'): 'connect create getopt read setopt write',
    ('collectd_t', 'udp_socket'): 'connect create read write',
}


def run(*words, **how):
    return subprocess.run([str(word) for word in words], capture_output=True,
                          text=True, timeout=120, check=False, **how)


def well(*words):
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def package(folder, text=None):
    """The module of our source, or of another text, as the commands in it
    make it."""
    source = folder / f'{NAME}.te'
    source.write_text(text or (FOLDER / f'{NAME}.te').read_text())
    well('checkmodule', '-M', '-m', '-o', folder / f'{NAME}.mod', source)
    well('semodule_package', '-o', folder / f'{NAME}.pp', '-m',
         folder / f'{NAME}.mod', '-f', FOLDER / f'{NAME}.fc')
    return folder / f'{NAME}.pp'


def kernel_policy(folder, name, *packages):
    """A policy as a kernel would load it."""
    linked, path = folder / f'{name}.linked', folder / name
    well('semodule_link', '-o', linked, *packages)
    well('semodule_expand', linked, path)
    return path


@pytest.fixture(name='policies', scope='module')
def make_policies(tmp_path_factory):
    """(reference, with ours)."""
    folder = tmp_path_factory.mktemp('policy')
    reference = []
    for path in POLICY:
        reference.append(folder / path.stem)
        reference[-1].write_bytes(bz2.decompress(path.read_bytes()))
    return (kernel_policy(folder, 'reference', *reference),
            kernel_policy(folder, 'ours', *reference, package(folder)))


def rules(policy, *words):
    return set(well('sesearch', '-A', *words, policy).splitlines())


def test_adds_what_is_meant(policies):
    before, after = map(rules, policies)
    assert sorted(after - before) == sorted(ADDED)
    assert before <= after


@pytest.mark.parametrize('place', THERE, ids=':'.join)
def test_relies_on_what_is_there(policies, place):
    """Unconditional rules of the reference policy."""
    target, kind = place
    found = rules(policies[0], '-s', 'collectd_t', '-t', target, '-c', kind)
    allowed = {word for rule in found if not rule.endswith(':True')
               for word in re.search(r':\w+ (.*);', rule)[1].split()}
    assert set(THERE[place].split()) <= allowed


def test_secrets_are_not_written(policies):
    assert not rules(policies[1], '-s', 'collectd_t', '-t', 'collectd_aws_t',
                     '-c', 'file', '-p', 'write,append,create,unlink')


@pytest.mark.parametrize('change', [
    (r'\ttype cert_t;\n', ''), (r'nlmsg_read read write };', 'nlmsg_read }'),
    (r'allow collectd_t http_port_t', 'allow collectd_t http_prt_t')])
def test_a_broken_copy_does_not_compile(tmp_path, change):
    text = (FOLDER / f'{NAME}.te').read_text()
    broken = re.sub(*change, text)
    assert broken != text
    with pytest.raises(AssertionError):
        package(tmp_path, broken)


def labels(folder, policy, text):
    """Compiles file contexts, each of which must be valid in the policy."""
    path = folder / 'contexts'
    path.write_text(text)
    return run('sefcontext_compile', '-p', policy, '-o', folder / 'out', path)


def test_labels(tmp_path, policies):
    text = (FOLDER / f'{NAME}.fc').read_text()
    assert labels(tmp_path, policies[1], text).returncode == 0
    assert labels(tmp_path, policies[0], text).returncode != 0  # no such type
    # As genhomedircon does for each home.
    (tmp_path / 'contexts').write_text(text.replace('HOME_DIR', '/root'))
    found = well('matchpathcon', '-f', tmp_path / 'contexts', '-n',
                 '/root/.aws/config', '/var/lib/collectd/.aws/credentials',
                 '/var/spool/collectd/lock').split()
    assert [label.split(':')[2] for label in found] == [
        'collectd_aws_t', 'collectd_aws_t', 'collectd_var_lib_t']
