"""The restrictions of a systemd unit without systemd: a command put before the
daemon, which applies what a drop-in says with what the kernel offers to all.

    unit = confine.read(path)              # [(directive, value)]
    daemon = scene.start(..., wrapper=confine.wrapper(unit))

Mounts by unshare and mount, capabilities by setpriv, system calls by
libseccomp.  A directive that it does not know is an error; LEFT is what it
leaves to systemd.  It needs root.
"""

import errno
import functools
import json
import os
import pathlib
import resource
import subprocess
import sys

# With the program itself behind, as its file may be out of sight.
PYTHON = ('/usr/bin/python3', '-I', '-B', '-c')
DEVICES = ('null', 'zero', 'full', 'random', 'urandom', 'tty')
HOMES = ('/home', '/root', '/run/user')
FAMILIES = {'AF_UNIX': 1, 'AF_INET': 2, 'AF_INET6': 10, 'AF_NETLINK': 16}
LAST_FAMILY = 64
# What the capabilities that are not there would be needed for, all of it; and
# what only a manager of sessions has.
LEFT = {'ProtectClock', 'ProtectKernelLogs', 'ProtectKernelModules',
        'KeyringMode', 'SystemCallErrorNumber'}


def read(path):
    """What a unit's text says, in order."""
    lines = (line.strip() for line in
             pathlib.Path(path).read_text(encoding='utf-8').splitlines())
    return [tuple(line.split('=', 1)) for line in lines
            if line and line[0] not in '#[']


def wrapper(unit):
    """A command put before another runs that one within the unit's limits."""
    unknown = {name for name, _ in unit} - LEFT - set(MOUNTS) - set(SELF) - \
        set(PRIVILEGES) - set(FILTERS) - {'SystemCallFilter'}
    assert not unknown, f'confine.py does not know {unknown}'
    given = {'unit': unit, 'calls': _calls(unit)}
    source = pathlib.Path(__file__).read_text(encoding='utf-8')
    return ('unshare', '--mount', '--uts', *PYTHON, source, 'mounts',
            json.dumps(given))


@functools.cache
def _group(name):
    """The system calls of a group, such as @network-io."""
    text = subprocess.run(['systemd-analyze', 'syscall-filter', name],
                          capture_output=True, text=True, check=True,
                          timeout=30).stdout
    words = [line.strip() for line in text.splitlines()[1:]
             if line.strip() and '#' not in line]
    return frozenset().union(*(
        _group(word) if word.startswith('@') else {word} for word in words))


def _calls(unit):
    """What SystemCallFilter lets through, in order of the lines; None: all."""
    calls = None
    for value in (value for name, value in unit if name == 'SystemCallFilter'):
        named = set().union(*(_group(word) if word[0] == '@' else {word}
                              for word in value.lstrip('~').split()))
        calls = calls - named if value[0] == '~' else (calls or set()) | named
    return calls and sorted(calls)


# --- what is mounted

def _mount(*words):
    subprocess.run(['mount', '-n', *words], check=True, timeout=10)


def _mounted():
    text = pathlib.Path('/proc/self/mounts').read_text(encoding='utf-8')
    return {line.split()[1] for line in text.splitlines()}


def _read_only(path):
    if not os.path.exists(path):  # /proc/sys, with ProcSubset=pid
        return
    if path not in _mounted():
        _mount('--bind', path, path)
    for one in _mounted():
        if f'{one}/'.startswith(f'{path}/'):
            _mount('-o', 'remount,bind,ro', one)


def _private_tmp(_):
    for path in ('/tmp', '/var/tmp'):
        _mount('-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', path)


def _private_devices(_):
    new = pathlib.Path('/mnt')  # for a moment
    _mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', str(new))
    for name in DEVICES:
        (new / name).touch()
        _mount('--bind', f'/dev/{name}', str(new / name))
    _mount('--move', str(new), '/dev')


def _read_write(paths):
    for path in paths.split():
        _mount('-o', 'remount,bind,rw', path)


def _protect_home(value):
    for path in filter(os.path.isdir, HOMES):
        if value == 'yes':
            _mount('-t', 'tmpfs', '-o', 'ro,mode=000', 'tmpfs', path)


def _protect_system(_):
    for path in _mounted():
        if path.split('/')[1] not in ('dev', 'proc', 'sys'):
            _mount('-o', 'remount,bind,ro', path)


def _proc_subset(value):
    _mount('-t', 'proc', '-o', f'subset={value}', 'proc', '/proc')


# In this order.
MOUNTS = {
    'ProtectHome': _protect_home,
    'ProtectSystem': _protect_system,
    'ReadWritePaths': _read_write,
    'PrivateTmp': _private_tmp,
    'ProcSubset': _proc_subset,
    'ProtectKernelTunables': lambda _: [
        _read_only(path) for path in ('/proc/sys', *filter(
            os.path.isdir, ('/sys/kernel', '/sys/module', '/sys/devices')))],
    'ProtectControlGroups': lambda _: _read_only('/sys/fs/cgroup'),
    'PrivateDevices': _private_devices,
    'ProtectHostname': lambda _: None,  # unshare --uts
}

# --- what the process has

SELF = {
    'UMask': lambda value: os.umask(int(value, 8)),
    'LimitCORE': lambda value: resource.setrlimit(
        resource.RLIMIT_CORE, (int(value), int(value))),
}


def _capabilities(value):
    kept = [f'+{name.removeprefix("CAP_").lower()}' for name in value.split()]
    return [f'--bounding-set={",".join(["-all", *kept])}', '--inh-caps=-all']


PRIVILEGES = {
    'CapabilityBoundingSet': _capabilities,
    'NoNewPrivileges': lambda _: ['--no-new-privs'],
}

# --- system calls


def _deny(call, *arguments, number=errno.EPERM):
    """A rule; arguments as of seccomp.Arg."""
    return (call, number, arguments)


def _families(value):
    allowed = {FAMILIES[name] for name in value.split()}
    return [_deny('socket', (0, '==', family), number=errno.EAFNOSUPPORT)
            for family in range(LAST_FAMILY) if family not in allowed]


def _namespaces(_):
    new = [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000,
           0x20000000, 0x40000000]
    return [_deny('setns'), _deny('clone3', number=errno.ENOSYS), *(
        _deny(call, (0, '&', flag)) for call in ('clone', 'unshare')
        for flag in new)]


FILTERS = {
    'RestrictAddressFamilies': _families,
    'RestrictNamespaces': _namespaces,
    'MemoryDenyWriteExecute': lambda _: [
        _deny('mmap', (2, '&', 6)), _deny('mprotect', (2, '&', 4)),
        _deny('pkey_mprotect', (2, '&', 4)),
        _deny('shmat', (2, '&', 0o100000))],
    'LockPersonality': lambda _: [_deny('personality', (0, '!=', 0))],
    'RestrictRealtime': lambda _: [
        _deny('sched_setscheduler', (1, '==', policy)) for policy in (1, 2)],
    'RestrictSUIDSGID': lambda _: [
        _deny(call, (i, '&', bit)) for bit in (0o4000, 0o2000)
        for call, i in (('chmod', 1), ('fchmod', 1), ('fchmodat', 2))],
    'SystemCallArchitectures': lambda _: [],  # libseccomp's default
}


def _load(unit, calls):
    # pylint: disable=import-error
    import seccomp  # of Debian, where this runs
    for name, value in unit:
        made = FILTERS.get(name, lambda _: [])(value)
        rules = seccomp.SyscallFilter(seccomp.ALLOW)
        for call, number, arguments in made:
            rules.add_rule(seccomp.ERRNO(number), call, *(
                _argument(seccomp, *one) for one in arguments))
        if made:
            rules.load()
    if calls is not None:
        rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
        for call in calls:
            try:
                rules.add_rule(seccomp.ALLOW, call)
            except RuntimeError:
                pass  # of another processor
        rules.load()


def _argument(seccomp, i, how, value):
    if how == '&':
        return seccomp.Arg(i, seccomp.MASKED_EQ, value, value)
    return seccomp.Arg(i, {'==': seccomp.EQ, '!=': seccomp.NE}[how], value)


# --- the program: mounts, then without privileges the calls, then the command

def main(step, given, *command):
    document = json.loads(given)
    unit = [tuple(pair) for pair in document['unit']]
    if step == 'calls':
        _load(unit, document['calls'])
        os.execvp(command[0], command)
    values = dict(unit)
    for path in values.get('ReadWritePaths', '').split():
        _mount('--bind', path, path)  # a mount of its own, to be rw alone
    for name, act in (MOUNTS | SELF).items():
        if name in values:
            act(values[name])
    privileges = [word for name, words in PRIVILEGES.items() if name in values
                  for word in words(values[name])]
    os.execvp('setpriv', ['setpriv', *privileges, *PYTHON,
                          sys.orig_argv[len(PYTHON)], 'calls', given, *command])


if __name__ == '__main__':
    main(*sys.argv[1:])
