// What the tasks of the benchmark do, for the pools that take a file.
export default function noop() {}

export function add([a, b]) {
  return a + b;
}

export function sum(array) {
  let total = 0;
  for (let i = 0; i < array.length; i++) total += array[i];
  return total;
}

export function sumOfCopy(array) {
  const copy = array.slice();
  copy[0] = 2;
  return sum(copy);
}

export function first(array) {
  return array[0];
}

export function busy(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

export function same(value) {
  return value;
}
