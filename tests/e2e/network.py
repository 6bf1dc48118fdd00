"""A network of its own: lo and nothing else, with the addresses at which AWS
has its metadata services.

    with Network() as network:
        imds = Metadata(host="169.254.169.254", port=80, network=network)
        subprocess.run([*network.wrapper, "curl", imds.url])

It is the kernel's: it ends with the sockets and processes in it. Services run
in this process all the same, for a socket stays in the network where it was
made. It needs root.
"""

import ctypes
import os
import subprocess
import threading

IMDS, IMDS_6 = "169.254.169.254", "fd00:ec2::254"
ECS = "169.254.170.2"
EKS, EKS_6 = "169.254.170.23", "fd00:ec2::23"

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: a network of its own "
                      "needs root")


class Network:
    """addresses  what lo has besides 127.0.0.0/8 and ::1
    wrapper    a command put before another runs that one in the network
    """

    def __init__(self, addresses=(IMDS, IMDS_6, ECS, EKS, EKS_6)):
        self.addresses = tuple(addresses)
        self._file = None
        _in_thread(self._make)
        self.wrapper = ("nsenter", f"--net=/proc/{os.getpid()}/fd/{self._file}",
                        "--")

    def _make(self):
        _check(_libc.unshare(_CLONE_NEWNET))
        lines = ["link set lo up"]
        for address in self.addresses:
            lines.append(f"address add {address}/128 dev lo nodad"
                         if ":" in address else
                         f"address add {address}/32 dev lo")
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n",
                       text=True, check=True, timeout=10)
        self._file = os.open("/proc/thread-self/ns/net",
                             os.O_RDONLY | os.O_CLOEXEC)

    def run(self, function):
        """What function() returns or raises when it is in the network."""
        def inside():
            _check(_libc.setns(self._file, _CLONE_NEWNET))
            return function()
        return _in_thread(inside)

    def stop(self):
        """Let go; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _in_thread(function):
    """A thread has a network of its own choice, and this one ends at once."""
    results = []

    def work():
        try:
            results.append((function(), None))
        except BaseException as error:
            results.append((None, error))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    (result, error), = results
    if error is not None:
        raise error
    return result
