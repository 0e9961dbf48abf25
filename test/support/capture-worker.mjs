/** Decodes functions in a thread of its own and calls them, as a task's worker does. */
import { parentPort } from "node:worker_threads";
import { decode, loadModules } from "../../dist/runtime/serialization/decode.js";
import { encode } from "../../dist/runtime/serialization/encode.js";

const options = (buffers) => ({ buffer: (index) => buffers[index], makeRef: (id) => ({ ref: id }) });

async function run({ bytes, buffers, modules, args }) {
  await loadModules(modules);
  const fn = decode(bytes, options(buffers));
  const made = fn(...args);
  if (made?.[Symbol.asyncIterator] !== undefined) return (await Array.fromAsync?.(made)) ?? collect(made);
  return typeof made?.next === "function" ? [...made] : await made;
}

async function collect(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

function pack(value) {
  const encoded = encode(value, { outOfBandBytes: 1e9, refId: () => undefined, label: "the result" });
  return { bytes: encoded.bytes.slice(), modules: encoded.modules };
}

parentPort.on("message", async (message) => {
  try {
    parentPort.postMessage({ id: message.id, ok: true, ...pack(await run(message)) });
  } catch (error) {
    parentPort.postMessage({ id: message.id, ok: false, ...pack(error) });
  }
});
