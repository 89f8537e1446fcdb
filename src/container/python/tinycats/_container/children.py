"""Processes and threads that a run leaves behind."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time

GRACE_S = 1.0
"""How long a child has to end by itself once it is told to."""
LOADER_GRACE_S = 0.3
"""How long a DataLoader's workers have to end by themselves."""
_PR_SET_PDEATHSIG = 1
_HELPERS = ("tinycats-", "pymp-", "QueueFeederThread", "pydevd")
_HELPER_MODULES = {"tqdm", "tensorboard", "tensorboardX"}
"""Packages whose threads serve the process, and have no names of their own."""


def bind_forks():
    """A forked child dies with this process, even where that is killed."""
    if not sys.platform.startswith("linux"):
        return
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return
    forked_by_main = []

    def before():
        # Linux counts the death of the thread that forked, not of the process.
        forked_by_main[:] = [threading.current_thread() is threading.main_thread()]

    def in_child():
        if forked_by_main == [True]:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    os.register_at_fork(before=before, after_in_child=in_child)


def descendants():
    """Process ids of all descendants that live, children before their own children; empty where /proc does not tell."""
    found, waiting = [], [os.getpid()]
    while waiting:
        children = _children(waiting.pop())
        if children is None:
            return _search()
        found += children
        waiting += children
    return found


def _children(pid):
    """Children of one process; None where the kernel keeps no such list."""
    children = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                children += [int(child) for child in file.read().split()]
    except FileNotFoundError:
        # The process is gone, or one of its threads; or there are no such lists.
        return children if os.path.exists("/proc/self/task") and _has_lists() else None
    except OSError:
        return children
    return [child for child in children if _lives(child)]


def _has_lists():
    return os.path.exists(f"/proc/self/task/{threading.main_thread().native_id}/children")


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def _search():
    """The same by looking at every process there is."""
    parents = {}
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for name in names:
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, waiting = [], [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


class Offspring:
    """The children and threads there are now; those that come later belong to the run."""

    def __init__(self):
        self._children = set(descendants())
        self._threads = set(threading.enumerate())

    def reap(self):
        """Ends the run's children. Returns (children ended by force, names of threads that still run)."""
        close_loaders()
        left = self._left()
        if left:
            _end_pools()
            _signal(left, signal.SIGTERM)
            left = self._await(GRACE_S)
            _signal(left, signal.SIGKILL)
            self._await(GRACE_S)
        return len(left), self._threads_left()

    def _left(self):
        spared = self._children | _helper_processes()
        return [pid for pid in descendants() if pid not in spared]

    def _await(self, seconds):
        end = time.monotonic() + seconds
        left = self._left()
        while left and time.monotonic() < end:
            _collect(left)
            time.sleep(0.01)
            left = self._left()
        return left

    def _threads_left(self):
        threads = [thread for thread in threading.enumerate() if thread not in self._threads]
        for thread in threads:
            if not thread.daemon:
                thread.join(0.2)
        return [thread.name for thread in threads if thread.is_alive() and not _is_helper(thread)]


def kill_descendants():
    _signal(descendants(), signal.SIGKILL)


def close_loaders():
    """Ends the workers of DataLoader iterators that are still referred to, which would take it for an accident.

    PyTorch itself waits up to five seconds for each worker of an iterator that was left in the middle.
    """
    loader = sys.modules.get("torch.utils.data.dataloader")
    if loader is None or not descendants():
        return
    kind = loader._MultiProcessingDataLoaderIter
    for iterator in [value for value in gc.get_objects() if type(value) is kind]:
        try:
            _end_workers(loader, iterator)
            iterator._shutdown_workers()
        except Exception:
            continue


def _end_workers(loader, iterator):
    if iterator._worker_pids_set:
        # From here on their deaths are none of PyTorch's business.
        loader._utils.signal_handling._remove_worker_pids(id(iterator))
        iterator._worker_pids_set = False
    iterator._workers_done_event.set()
    for index_queue in iterator._index_queues:
        index_queue.put(None)
    end = time.monotonic() + LOADER_GRACE_S
    for worker in iterator._workers:
        worker.join(max(0.0, end - time.monotonic()))
        if worker.is_alive():
            worker.terminate()


def _end_pools():
    processes = sys.modules.get("multiprocessing.process")
    for child in processes.active_children() if processes is not None else []:
        child.terminate()
        child.join(GRACE_S)


def _helper_processes():
    """multiprocessing's own, which serve all runs."""
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    pids = {getattr(tracker, "_pid", None), getattr(server, "_forkserver_pid", None)}
    return {pid for pid in pids if pid is not None}


def _is_helper(thread):
    package = type(thread).__module__.partition(".")[0]
    return thread.name.startswith(_HELPERS) or package in _HELPER_MODULES or _has_no_work(thread)


def _has_no_work(thread):
    """Whether it waits for work of a `ThreadPoolExecutor`, as those of torch.compile do from the first run on."""
    pools = sys.modules.get("concurrent.futures.thread")
    queue = None if pools is None else pools._threads_queues.get(thread)
    return queue is not None and queue.empty()


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue


def _collect(pids):
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except OSError:
            continue
