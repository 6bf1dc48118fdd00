"""Mounts that one daemon has, and nobody else. They end with it, and need
root.

    daemon = scene.start(..., wrapper=mounts.wrapper(mounts.READ_ONLY, path))
    mounts.run(daemon, 'mount', '-o', 'remount,rw,bind', path)
    mounts.seen_by(daemon, path)  # which it has there
"""

import pathlib
import subprocess

# Shell scripts about the path "$1".
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
FULL_DISK = ('mount -t tmpfs -o size=256k,mode=0700 tmpfs "$1" && '
             '{ head -c 1m /dev/zero >"$1/ballast" 2>/dev/null || :; }')


def wrapper(script, path=''):
    """A command put before another runs that one after the script."""
    return ('unshare', '--mount', 'sh', '-c',
            f'{script} && shift && exec "$@"', 'sh', str(path))


def run(daemon, *command):
    """Runs a command with the mounts of the daemon."""
    subprocess.run(['nsenter', '--mount', f'--target={daemon.pid}', '--',
                    *map(str, command)], check=True, timeout=10)


def seen_by(daemon, path):
    """The path by which we get to what the daemon has at path."""
    return pathlib.Path(f'/proc/{daemon.pid}/root', str(path).lstrip('/'))
