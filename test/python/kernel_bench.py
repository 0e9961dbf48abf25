"""One measurement of one kernel: kernel_bench.py KERNEL MEASURE COUNT. Prints a number in the measure's unit."""

import queue
import statistics
import sys
import time

import psutil
from jupyter_client.manager import KernelManager

TIMEOUT = 60
#: A cell that declares and shows a value, a cell before a completion, and what is completed.
PYTHON = ("v{0} = {0}\nv{0} + 1", "numbers = [1, 2, 3]", "numbers.app")
TYPESCRIPT = ("const v{0} = {0};\nv{0} + 1", "const numbers = [1, 2, 3]", "numbers.ma")


class Kernel:
    """A kernel that has been started, and its client."""

    def __init__(self, name):
        self.cell, self.list, self.member = PYTHON if name == "ipykernel" else TYPESCRIPT
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code="1 + 1"):
        """Runs a cell to its reply and its idle, fails when it fails; milliseconds."""
        began = time.perf_counter()
        reply = self.client.execute_interactive(code, timeout=TIMEOUT, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        return (time.perf_counter() - began) * 1000

    def complete(self):
        """Milliseconds of a completion that has what it should."""
        began = time.perf_counter()
        content = self.client.complete(self.member, reply=True, timeout=TIMEOUT)["content"]
        took = (time.perf_counter() - began) * 1000
        assert len(content["matches"]) > 0, content
        return took

    def answers(self):
        """Resolves as soon as the kernel has answered and its outputs are heard; Jupyter's own wait takes 0.2 s more."""
        while True:
            self.client.kernel_info(reply=True, timeout=TIMEOUT)
            try:
                self.client.get_iopub_msg(timeout=0.1)
                return
            except queue.Empty:
                pass

    def family(self):
        kernel = psutil.Process(self.manager.provisioner.pid)
        return [kernel, *kernel.children(recursive=True)]

    def memory(self):
        """Megabytes of all its processes, pages that they share counted once."""
        return sum(process.memory_full_info().pss for process in self.family()) / 1e6

    def cpu(self):
        """Seconds of the processor that its processes have taken."""
        return sum(sum(process.cpu_times()[:2]) for process in self.family())


def start(kernel, began, _):
    kernel.client.wait_for_ready(timeout=TIMEOUT)
    kernel.run()
    return (time.perf_counter() - began) * 1000


def first(kernel, began, _):
    kernel.answers()
    kernel.run()
    return (time.perf_counter() - began) * 1000


def cell(kernel, _, count):
    return statistics.median(kernel.run() for _ in range(count))


def completion(kernel, _, count):
    kernel.run(kernel.list)
    kernel.complete()
    return statistics.median(kernel.complete() for _ in range(count))


def memory(kernel, _, seconds):
    time.sleep(seconds)
    return kernel.memory()


def cpu(kernel, _, seconds):
    """Per cent of one processor, once what a start leaves to do is over."""
    time.sleep(seconds)
    before = kernel.cpu()
    time.sleep(seconds)
    return (kernel.cpu() - before) / seconds * 100


def growth(kernel, _, count):
    """Megabytes that cells leave behind, after the first hundred."""
    for i in range(count):
        kernel.run(kernel.cell.format(i))
        if i == 99:
            before = kernel.memory()
    return kernel.memory() - before


def slowdown(kernel, _, count):
    """What the last hundred cells take, in times of the first."""
    times = [kernel.run(kernel.cell.format(i)) for i in range(count)]
    return statistics.median(times[-100:]) / statistics.median(times[:100])


def main(name, measure, count):
    began = time.perf_counter()
    kernel = Kernel(name)
    try:
        if measure not in (start, first):
            kernel.client.wait_for_ready(timeout=TIMEOUT)
            for _ in range(5):
                kernel.run()
        return measure(kernel, began, count)
    finally:
        kernel.close()


print(main(sys.argv[1], globals()[sys.argv[2]], int(sys.argv[3])))
