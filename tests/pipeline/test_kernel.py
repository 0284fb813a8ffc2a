"""A forked kernel is an ordinary kernel that starts faster and listens on no port."""

import os
import sys
import time
from pathlib import Path

import nbformat
import pytest
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from blina.pipeline import kernel
from blina.pipeline.kernel import ForkedProcess, ForkedProvisioner, KernelServer, manager_class
from blina.pipeline.publish import merged_streams

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

LOOKS_AROUND = [
    "import os, sys, threading, signal, multiprocessing\nprint(sys.path, os.getcwd(), threading.active_count())",
    "print([os.path.basename(a) for a in sys.argv[:2]], sys.stdin.fileno(), signal.getsignal(signal.SIGCHLD))",
    "os.getpgid(0) == os.getpid(), multiprocessing.current_process().name, hash('MRD'), sorted(globals())",
    "import pandas as pd, numpy as np\n[pd.get_option('display.' + k) for k in ('max_columns', 'width', 'max_rows')]",
    "pd.DataFrame(np.arange(80.0).reshape(2, 40) / 7)",
    "import matplotlib as mpl, matplotlib.pyplot as plt, seaborn as sns\nprint(dict(mpl.rcParams), plt.get_backend())",
    "import io\nmpl.rcParams['svg.hashsalt'] = 'x'\nfigure, axes = plt.subplots()\nsns.kdeplot(x=[1, 2, 4], ax=axes)\n"
    "text = io.StringIO()\nfigure.savefig(text, format='svg', metadata={'Date': None})\n"
    "print(text.getvalue())\naxes = None",
    "print('seen'); print('warned', file=sys.stderr); os.system('echo from a shell')",
    "1 / 0",
]


@pytest.fixture(scope="module")
def server():
    with KernelServer() as server:
        yield server


def outputs(address: str, cells: list[str], started: list | None = None, **variables: str) -> list[dict]:
    """What the cells show in one kernel, the pieces of a stream joined as in a record: how many come is chance."""
    started = [] if started is None else started
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    manager = manager_class(address, variables, started)
    options = {"kernel_manager_class": manager, "shutdown_kernel": "immediate", "allow_errors": True}
    NotebookClient(notebook, kernel_name="python3", **options).execute()
    return [dict(output) for cell in notebook.cells for output in merged_streams(cell.outputs)]


def test_a_forked_kernel_shows_what_an_ordinary_one_shows(server):
    forked, ordinary = outputs(server.address, LOOKS_AROUND), outputs("", LOOKS_AROUND)
    assert len(forked) >= len(LOOKS_AROUND)
    assert forked == ordinary


def test_a_forked_kernel_starts_in_tenths_of_a_second(server):
    outputs(server.address, [])
    began = time.monotonic()
    outputs(server.address, ["import pandas, seaborn"])
    assert time.monotonic() - began < 2


def test_a_kernel_has_the_variables_it_is_given_and_no_profile_of_the_user(server, monkeypatch, tmp_path):
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("mine = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cell = "import os\nprint(os.environ['BLINA_OUTPUT'], 'mine' in globals())"
    for address in (server.address, ""):
        assert outputs(address, [cell], BLINA_OUTPUT="here")[0]["text"] == "here False\n"


def test_kernels_draw_different_random_numbers(server):
    cell = "import numpy as np, random, uuid\nprint(np.random.random(), random.random(), uuid.uuid4())"
    first, second = (outputs(server.address, [cell])[0]["text"].split() for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("forked", [True, False])
def test_messages_go_through_a_private_folder_that_is_removed_afterwards(server, forked):
    cell = "import json, sys\nc = json.load(open(sys.argv[2]))\nprint(c['transport'], c['ip'])"
    started: list[ForkedProvisioner] = []
    shown = outputs(
        server.address if forked else "",
        [cell + "\nimport os\nprint(oct(os.stat(os.path.dirname(c['ip'])).st_mode))"],
        started,
    )
    transport, address, mode = shown[0]["text"].split()
    assert transport == "ipc" and mode.endswith("700")
    assert not Path(address).parent.exists()
    assert isinstance(started[0].pid, int) and not Path(f"/proc/{started[0].pid}").exists()


@pytest.mark.parametrize("forked", [True, False])
def test_where_there_are_no_private_sockets_messages_are_encrypted(server, monkeypatch, capfd, forked):
    has = zmq.has
    monkeypatch.setattr(zmq, "has", lambda feature: feature != "ipc" and has(feature))
    cell = "import json, sys\nc = json.load(open(sys.argv[2]))\nprint(c['transport'], len(c['curve_secretkey']))"
    assert outputs(server.address if forked else "", [cell])[0]["text"] == "tcp 40\n"
    assert capfd.readouterr() == ("", "")


def test_without_a_server_kernels_start_as_ordinary_processes_and_say_so_once(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(ForkedProvisioner, "noted", False)
    for _ in range(2):
        assert outputs(str(tmp_path / "nowhere"), ["6 * 7"])[0]["data"]["text/plain"] == "42"
    noise = capsys.readouterr()
    assert noise.err == "Note: kernels could not be forked and start as ordinary processes: slower, same results.\n"
    assert noise.out == ""


def test_a_server_that_cannot_start_is_not_used(capsys, monkeypatch):
    monkeypatch.setattr(kernel, "environment", lambda: {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"})
    with KernelServer() as server:
        server.wait()
        assert server.address == ""
    assert capsys.readouterr().err.startswith("Note: kernels could not be forked")


def test_kernels_end_with_their_server():
    with KernelServer() as server:
        request = {"environment": dict(os.environ), "folder": "/", "arguments": []}
        forked = ForkedProcess(server.address, request | {"arguments": ["--transport=ipc", f"--ip={server.folder}/k"]})
        assert forked.poll() is None
    end = time.monotonic() + 10
    while forked.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert forked.poll() == 1


def test_a_forked_kernel_that_dies_is_noticed(server):
    with pytest.raises(DeadKernelError):
        outputs(server.address, ["import os\nos._exit(3)"])
