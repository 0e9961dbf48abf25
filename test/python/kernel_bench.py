"""One measurement of one kernel: kernel_bench.py KERNEL start|cell COUNT. Prints milliseconds."""

import statistics
import sys
import time

from jupyter_client.manager import KernelManager


def run_cell(client):
    """Runs a cell to its reply and its idle, and fails when it fails."""
    reply = client.execute_interactive("1 + 1", timeout=60, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply["content"]


def main(kernel, measure, count):
    began = time.perf_counter()
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        run_cell(client)
        if measure == "start":
            return time.perf_counter() - began
        for _ in range(5):
            run_cell(client)
        return statistics.median(timed(client) for _ in range(count))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def timed(client):
    began = time.perf_counter()
    run_cell(client)
    return time.perf_counter() - began


print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])) * 1000)
