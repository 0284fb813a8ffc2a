"""Kernels that start in tenths of a second: forked from a warm process, reached over private sockets."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import importlib.util
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict, Unicode

SERVER = "BLINA_KERNEL_SERVER"
NOT_FORKED = "Note: kernels could not be forked and start as ordinary processes: slower, same results."
PRELOAD = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "matplotlib.pyplot",
    "seaborn",
    "IPython",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
)
PRELOAD_FROM = ("blina.linelist", "blina.claims", "blina.measures", "blina.analysis", "blina.figures")
# The same for every kernel, forked or not, so that results do not depend on whose machine it is or how it started.
ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow would start a thread on import: no fork after that
}


def environment() -> dict[str, str]:
    """Variables of every kernel; matplotlib's own settings file stands in for one the user may have."""
    matplotlib = importlib.util.find_spec("matplotlib")
    return ENVIRONMENT | {"MATPLOTLIBRC": str(Path(matplotlib.origin).parent / "mpl-data" / "matplotlibrc")}


def private_folder() -> Path:
    """A fresh folder only this user can enter, its path short enough to hold sockets (107 bytes is the limit)."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="blina-", dir=usual if len(usual) < 70 else "/tmp"))


class KernelServer:
    """A warm process that forks kernels while the context is open; `address` is its socket.

    Where forking is not safe (not Linux) or `fork` is False there is none, `address` is empty and kernels start as
    ordinary processes.
    """

    address = ""

    def __init__(self, fork: bool = True) -> None:
        self.fork = fork and sys.platform == "linux"

    def __enter__(self) -> KernelServer:
        if self.fork:
            self.folder = private_folder()
            self.address = str(self.folder / "server")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self.address)
                listener.listen(64)  # from here on clients may connect; they are served once everything is imported
                self.process = subprocess.Popen(
                    [sys.executable, "-c", f"from blina.pipeline.kernel import serve; serve({listener.fileno()})"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | environment(),
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
        return self

    def wait(self) -> None:
        """Wait until it is warm; if it never will be, note so on standard error and have no address."""
        if self.fork:
            ready, _, _ = select.select([self.process.stdout], [], [], 60)
            if not (ready and self.process.stdout.read(1)):
                self.address = ""
                print(NOT_FORKED, file=sys.stderr)

    def __exit__(self, *exception: object) -> None:
        if self.fork:
            self.process.stdout.close()
            self.process.stdin.close()  # which ends it, as would our own death; its kernels end with it
            try:
                self.process.wait(timeout=1)
            except subprocess.TimeoutExpired:  # still importing
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)


def serve(descriptor: int) -> None:
    """The warm process: import, then fork a kernel per connection, until standard input closes."""
    sys.path[:] = [entry for entry in sys.path if entry]  # as a kernel has it: not the folder it was started in
    _import_everything()
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("a library started a thread, so forking is not safe")
    listener = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended kernels need no wait()
    os.write(1, b"\n")  # for whoever waits until the server is warm
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        connection, _ = listener.accept()
        with suppress(OSError):  # no process to be had: the caller, left without an answer, starts an ordinary kernel
            if os.fork() == 0:
                break
        connection.close()
    listener.close()
    _become_kernel(connection)


def _import_everything() -> None:
    import blina

    sys.modules["debugpy"] = None  # a third of a second in every kernel, for a debugger that nobody opens
    own = [m.name for m in pkgutil.walk_packages(blina.__path__, "blina.") if m.name.startswith(PRELOAD_FROM)]
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # pandas asks on import, and displays accordingly
    for name in (*PRELOAD, *own):
        with suppress(Exception):  # whoever needs the module gets the error, in a cell
            importlib.import_module(name)
    del builtins.get_ipython


def _become_kernel(connection: socket.socket) -> None:
    request = json.load(connection.makefile())
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = [importlib.util.find_spec("ipykernel_launcher").origin, *request["arguments"]]
    sys.modules["numpy"].random.seed()  # else every kernel would draw the same "random" numbers
    app = sys.modules["ipykernel.kernelapp"].IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(request["arguments"])
    connection.sendall(f"{os.getpid()}\n".encode())  # only now: whoever connects before it listens waits longer
    app.start()
    connection.close()  # open as long as the kernel lives: its end is how the other side learns of the kernel's
    sys.exit(0)


class ForkedProcess:
    """A forked kernel, with the part of subprocess.Popen's interface that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, address: str, request: dict[str, Any]) -> None:
        """Ask the server at `address` for a kernel (OSError if there is none to be had)."""
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(60)
        self.connection.connect(address)
        self.connection.sendall(json.dumps(request).encode())
        self.connection.shutdown(socket.SHUT_WR)
        answer = self.connection.makefile().readline()
        if not answer:
            raise ConnectionError("the kernel server ended")
        self.pid = int(answer)
        self.connection.setblocking(False)

    def poll(self) -> int | None:
        """None while the kernel lives, else 1: how it ended is not known."""
        try:
            return None if self.connection.recv(1) else 1
        except BlockingIOError:
            return None
        except OSError:
            return 1

    def wait(self) -> int:
        """Wait for the kernel's end."""
        while self.poll() is None:
            select.select([self.connection], [], [])
        self.connection.close()
        return 1

    def send_signal(self, number: int) -> None:
        """Signal the kernel, if it still lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the kernel at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


class ForkedProvisioner(LocalProvisioner):
    """Starts kernels by forking the kernel server, else as ordinary processes with a note on standard error.

    Registered as `blina-forked`, so that nbval uses it too (JUPYTER_DEFAULT_PROVISIONER_NAME). Either way messages go
    through sockets in a private folder, encrypted TCP where there are no such sockets, and no file of the user's
    (IPython profile, kernel specifications, matplotlib settings) has a say.
    """

    server = Unicode(help="address of the kernel server").tag(config=True)
    variables = Dict(help="further environment variables of the kernel").tag(config=True)
    folder: Path | None = None
    abandoned = False
    noted = False

    def _server_default(self) -> str:
        return os.environ.get(SERVER, "")

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the kernel its folder, transport and environment."""
        manager = self.parent
        if self.folder is None:
            self.folder = private_folder()
            manager.connection_file = str(self.folder / "kernel.json")
            if zmq.has("ipc") and sys.platform != "win32":
                manager.transport, manager.ip = "ipc", str(self.folder / "socket")
            else:
                manager.transport_encryption = "required"
        own = {"IPYTHONDIR": str(self.folder / "ipython"), **self.variables}
        kwargs["env"] = {**kwargs.get("env", os.environ), **environment(), **own}
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Start the kernel: forked if there is a server, else as `cmd`."""
        if cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"] and self.server:
            self.cwd = str(kwargs.get("cwd") or Path.cwd())
            request = {"arguments": cmd[3:], "environment": kwargs["env"], "folder": self.cwd}
            try:
                self.process = ForkedProcess(self.server, request)
            except OSError:
                if self.abandoned:
                    raise
                if not ForkedProvisioner.noted:
                    ForkedProvisioner.noted = True
                    print(NOT_FORKED, file=sys.stderr)
            else:
                self.pid = self.pgid = self.process.pid
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def wait(self) -> int | None:
        """Wait for the kernel's end, looking more often than every tenth of a second."""
        while await self.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the kernel's folder with its sockets."""
        await super().cleanup(restart=restart)
        if not restart:
            self.abandon()

    def abandon(self) -> None:
        """End the kernel and all it started, at once and from any thread, and remove its folder."""
        self.abandoned = True
        if self.process and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pgid, signal.SIGKILL) if self.pgid else self.process.kill()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def manager_class(server: str, variables: dict[str, str], started: list[ForkedProvisioner]) -> type[AsyncKernelManager]:
    """A kernel manager class for nbclient; each kernel's provisioner is appended to `started`."""
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec

    class Manager(AsyncKernelManager):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            # This environment's own kernel, whatever specifications are installed for the user.
            self._kernel_spec = KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())
            self.provisioner = ForkedProvisioner(
                parent=self, kernel_spec=self._kernel_spec, server=server, variables=variables
            )
            started.append(self.provisioner)

    return Manager
