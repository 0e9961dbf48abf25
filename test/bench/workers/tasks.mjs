// What the tasks of the benchmark do, for the pools that take a file.
export default function noop() {}

export function add([a, b]) {
  return a + b;
}

export function busy(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

export function same(value) {
  return value;
}
