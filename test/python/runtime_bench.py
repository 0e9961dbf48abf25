"""One measurement of Ray or Dask: runtime_bench.py ray|dask MEASURE COUNT WORKERS. Prints the figure."""

import statistics
import sys
import time


def busy(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


def noop():
    pass


def add(a, b):
    return a + b


def total(array):
    return array.sum()


def first(array):
    return array[0]


class Ray:
    def __init__(self, workers):
        import ray

        ray.init(num_cpus=workers, include_dashboard=False, logging_level="error", log_to_driver=False)
        self.ray, self.tasks = ray, {}

    def submit(self, function, *arguments):
        if function not in self.tasks:
            self.tasks[function] = self.ray.remote(function)
        return self.tasks[function].remote(*arguments)

    def get(self, refs):
        return self.ray.get(refs)

    def ten(self):
        import ray

        task = ray.remote(noop)

        def inner():
            ray.get([task.remote() for _ in range(10)])

        return ray.remote(inner).remote

    def take_one(self, pending):
        return self.ray.wait(pending, num_returns=1)[1]

    def close(self):
        self.ray.shutdown()


class Dask:
    def __init__(self, workers):
        from distributed import Client

        self.client = Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)

    def submit(self, function, *arguments):
        return self.client.submit(function, *arguments, pure=False)

    def get(self, refs):
        return self.client.gather(refs)

    def ten(self):
        def inner():
            from distributed import worker_client

            with worker_client() as client:
                client.gather([client.submit(noop, pure=False) for _ in range(10)])

        return lambda: self.client.submit(inner, pure=False)

    def close(self):
        self.client.close()


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(peer, measure, count, workers):
    pool = {"ray": Ray, "dask": Dask}[peer](workers)

    def many(number):
        return pool.get([pool.submit(noop) for _ in range(number)])

    def tree():
        level = list(range(count))
        while len(level) > 1:
            level = [pool.submit(add, level[i], level[i + 1]) for i in range(0, len(level), 2)]
        assert pool.get(level[0] if peer == "ray" else [level[0]]) in (count * (count - 1) // 2, [count * (count - 1) // 2])

    def chain():
        last = pool.submit(add, 0, 1)
        for _ in range(count - 1):
            last = pool.submit(add, last, 1)
        pool.get([last])

    def drain():
        pending = [pool.submit(noop) for _ in range(count)]
        pool.get(pending)
        began = time.perf_counter()
        while pending:
            pending = pool.take_one(pending)
        return time.perf_counter() - began

    def array():
        import numpy

        pool.get([pool.submit(total, numpy.ones(1024)) for _ in range(8)])
        data = numpy.ones(count // 8)
        began = time.perf_counter()
        ref = pool.ray.put(data)
        sums = pool.get([pool.submit(total, ref) for _ in range(8)])
        took = time.perf_counter() - began
        assert set(sums) == {count // 8}
        return took

    def array_refs():
        import numpy

        ref = pool.ray.put(numpy.ones(10 * 2**17))
        pool.get([pool.submit(first, ref) for _ in range(count)])
        return seconds(lambda: pool.get([pool.submit(first, ref) for _ in range(count)]))

    def one_by_one(submit):
        return statistics.median(seconds(lambda: pool.get([submit()])) for _ in range(count))

    many(200)
    try:
        if measure == "latency":
            return one_by_one(lambda: pool.submit(noop)) * 1e6
        if measure == "rate":
            return count / seconds(lambda: many(count))
        if measure == "tree":
            return seconds(tree) * 1000
        if measure == "chain":
            return seconds(chain) * 1000
        if measure == "nested":
            submit = pool.ten()
            pool.get([submit()])
            return one_by_one(submit) * 1000
        if measure == "drain":
            return drain() * 1000
        if measure == "array":
            return array() * 1000
        if measure == "array-refs":
            return array_refs() * 1000
        if measure == "efficiency":
            return count * 0.02 / workers / seconds(lambda: pool.get([pool.submit(busy, 20) for _ in range(count)]))
        raise SystemExit(f"unknown measure: {measure}")
    finally:
        pool.close()


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
