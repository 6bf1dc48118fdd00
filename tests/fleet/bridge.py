"""Networks of hosts on one bridge, in a network of its own.

    with Bridge() as bridge, Scene(folder, network=bridge) as scene:
        service = scene.service(host=bridge.address)
        daemon = scene.start(..., wrapper=bridge.host(7).wrapper)

They are the kernel's: bridge and hosts end with what runs in them, also after
a test that failed.
"""

import os
import subprocess

from network import Network

_NET = '10.77.0'


def _ip(network, *lines):
    network.run(lambda: subprocess.run(
        ['ip', '-batch', '-'], input='\n'.join(lines) + '\n', text=True,
        check=True, timeout=10))


class Bridge(Network):
    """address  where a service may listen that all hosts reach"""

    def __init__(self):
        self.address = f'{_NET}.1'
        self.hosts = {}
        super().__init__((self.address,))
        _ip(self, 'link add bridge type bridge',
            f'address add {_NET}.2/24 dev bridge', 'link set bridge up')

    def host(self, number):
        """The Network of one host, from 1 to 200, with an address of its
        own; the same at each call."""
        if number in self.hosts:
            return self.hosts[number]
        host = self.hosts[number] = Network(())
        _, path, _ = host.wrapper
        path = path.removeprefix('--net=')
        port = f'host{number}'
        _ip(self, f'link add {port} type veth peer name eth0 netns {path}',
            f'link set {port} master bridge up')
        _ip(host, f'address add {_NET}.{number + 10}/24 dev eth0',
            'link set eth0 up')
        return host

    def stop(self):
        for host in self.hosts.values():
            host.stop()
        super().stop()
