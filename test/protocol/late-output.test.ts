/** Output that comes after its cell: it lands under the cell that started what printed it. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SessionHarness } from "../support/session-harness.ts";

const threads = 4;

/**
 * Runs a cell, then another one that prints, then opens the gate, and checks where "late" has landed. The gate is shut
 * while nobody writes to the named pipes: `fifo` is one, and Node's thread pool waits for the others if asked to.
 */
async function expectUnderFirstCell(source: string, options: { blockPool?: boolean } = {}): Promise<void> {
  await using harness = new SessionHarness();
  const fifos = Array.from({ length: options.blockPool ? threads : 1 }, (_, n) => join(harness.folder, `fifo${n}`));
  for (const fifo of fifos) execFileSync("mkfifo", [fifo]);
  const block = options.blockPool
    ? 'for (let n = 0; n < 4; n++) (await import("node:fs")).readFile("fifo" + n, () => {});'
    : "";
  await harness.run(`const fifo = "fifo0"; ${block}`);
  expect((await harness.run(source)).outcome).toMatchObject({ status: "ok" });
  await harness.run('console.log("other")');
  expect(harness.text(2)).toBe("");
  if (source.includes("fifo") || options.blockPool) for (const fifo of fifos) await openGate(fifo);
  const late = await harness.message((message) => message.type === "stream" && message.text.includes("late"));
  expect(late).toMatchObject({ cell: "2" });
  expect(harness.text(3)).toBe("other\n");
}

/** Writes to a named pipe once somebody reads it: no event tells of that, and a blocking open could wait for ever. */
async function openGate(fifo: string): Promise<void> {
  for (;;) {
    try {
      const file = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(file, "go\n");
      return closeSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

describe("of native callbacks", () => {
  test.each([
    ["fs.readFile", 'import fs from "node:fs"; fs.readFile("/dev/null", () => console.log("late"));'],
    ["fs.stat, imported by name", 'import { stat } from "node:fs"; stat(".", () => console.log("late"));'],
    [
      "fs.promises",
      'import { readFile } from "node:fs/promises"; void readFile("/dev/null").then(() => console.log("late"));',
    ],
    [
      "a promisified function",
      'import { promisify } from "node:util"; import fs from "node:fs"; void promisify(fs.stat)(".").then(() => console.log("late"));',
    ],
    ["dns.lookup", 'import dns from "node:dns"; dns.lookup("localhost", () => console.log("late"));'],
    [
      "dns.promises",
      'import { lookup } from "node:dns/promises"; void lookup("localhost").then(() => console.log("late"));',
    ],
    ["zlib.gzip", 'import zlib from "node:zlib"; zlib.gzip("text", () => console.log("late"));'],
    ["crypto.randomBytes", 'import { randomBytes } from "node:crypto"; randomBytes(8, () => console.log("late"));'],
    [
      "crypto.pbkdf2",
      'import crypto from "node:crypto"; crypto.pbkdf2("a", "b", 1, 8, "sha256", () => console.log("late"));',
    ],
    ["crypto.subtle", 'void crypto.subtle.digest("SHA-256", new Uint8Array(8)).then(() => console.log("late"));'],
    [
      "a callback in a callback",
      'import fs from "node:fs"; fs.stat(".", () => fs.stat(".", () => console.log("late")));',
    ],
  ])("%s", async (_, source) => {
    await expectUnderFirstCell(source, { blockPool: true });
  });
});

describe("of streams", () => {
  test.each([
    [
      "data of a file",
      'import { createReadStream } from "node:fs"; createReadStream(fifo).on("data", () => console.log("late"));',
    ],
    [
      "the end of a pipeline",
      'import { createReadStream, createWriteStream } from "node:fs"; import { pipeline } from "node:stream"; pipeline(createReadStream(fifo), createWriteStream("/dev/null"), () => console.log("late"));',
    ],
    [
      "stream.finished",
      'import { createReadStream } from "node:fs"; import { finished } from "node:stream"; finished(createReadStream(fifo).resume(), () => console.log("late"));',
    ],
    [
      "for await over a file",
      'import { createReadStream } from "node:fs"; void (async () => { for await (const _ of createReadStream(fifo)) console.log("late") })();',
    ],
    [
      "a transform of one's own",
      'import { createReadStream } from "node:fs"; import { Transform } from "node:stream"; createReadStream(fifo).pipe(new Transform({ transform(chunk, _, done) { console.log("late"); done(); } }));',
    ],
    [
      "readline",
      'import { createReadStream } from "node:fs"; import { createInterface } from "node:readline"; createInterface({ input: createReadStream(fifo) }).on("line", () => console.log("late"));',
    ],
    [
      "a web stream",
      'import { open } from "node:fs/promises"; void open(fifo).then(async (file) => { for await (const _ of file.readableWebStream()) console.log("late") });',
    ],
  ])("%s", async (_, source) => {
    await expectUnderFirstCell(source);
  });
});

describe("of child processes", () => {
  test.each([
    [
      "their output",
      'import { spawn } from "node:child_process"; spawn("cat", [fifo]).stdout.on("data", () => console.log("late"));',
    ],
    [
      "their end",
      'import { spawn } from "node:child_process"; spawn("cat", [fifo]).on("exit", () => console.log("late"));',
    ],
    ["exec's callback", 'import { exec } from "node:child_process"; exec("cat fifo0", () => console.log("late"));'],
    [
      "execFile's callback",
      'import { execFile } from "node:child_process"; execFile("cat", [fifo], () => console.log("late"));',
    ],
    [
      "promisified exec",
      'import { exec } from "node:child_process"; import { promisify } from "node:util"; void promisify(exec)("cat fifo0").then(() => console.log("late"));',
    ],
  ])("%s", async (_, source) => {
    await expectUnderFirstCell(source);
  });
});

describe("of listeners", () => {
  test.each([
    [
      "an emitter",
      'import { EventEmitter } from "node:events"; import { createReadStream } from "node:fs"; const emitter = new EventEmitter().on("x", () => console.log("late")); createReadStream(fifo).once("data", () => emitter.emit("x"));',
    ],
    [
      "fs.watch",
      'import { watch } from "node:fs"; import { spawn } from "node:child_process"; const watcher = watch(".", () => { watcher.close(); console.log("late") }); spawn("sh", ["-c", "cat fifo0; touch written"]);',
    ],
    [
      "a worker thread, by on",
      'import { Worker } from "node:worker_threads"; new Worker(`require("node:fs").readFileSync("fifo0"); require("node:worker_threads").parentPort.postMessage(1)`, { eval: true }).on("message", () => console.log("late"));',
    ],
    [
      "a worker thread that prints",
      'import { Worker } from "node:worker_threads"; new Worker(`require("node:fs").readFileSync("fifo0"); console.log("late")`, { eval: true });',
    ],
    [
      "a worker thread that writes to stderr",
      'import { Worker } from "node:worker_threads"; new Worker(`require("node:fs").readFileSync("fifo0"); process.stderr.write("late")`, { eval: true });',
    ],
    [
      "a forked process, by message",
      'import { fork } from "node:child_process"; import { writeFileSync } from "node:fs"; writeFileSync("child.cjs", `require("node:fs").readFileSync("fifo0"); process.send(1)`); fork("child.cjs").on("message", () => console.log("late"));',
    ],
    [
      "a forked process that prints, piped on",
      'import { fork } from "node:child_process"; import { writeFileSync } from "node:fs"; writeFileSync("child.cjs", `require("node:fs").readFileSync("fifo0"); console.log("late")`); fork("child.cjs", { silent: true }).stdout!.pipe(process.stdout);',
    ],
    [
      "events.on",
      'import { on } from "node:events"; import { createReadStream } from "node:fs"; void (async () => { for await (const _ of on(createReadStream(fifo), "data")) console.log("late") })();',
    ],
    [
      "setInterval of timers/promises",
      'import { existsSync, createReadStream } from "node:fs"; import { setInterval } from "node:timers/promises"; let opened = false; createReadStream(fifo).on("data", () => { opened = true }); void (async () => { for await (const _ of setInterval(5)) if (opened) { console.log("late"); break } })();',
    ],
    [
      "a PerformanceObserver",
      'import { createReadStream } from "node:fs"; new PerformanceObserver(() => console.log("late")).observe({ entryTypes: ["mark"] }); createReadStream(fifo).on("data", () => performance.mark("m"));',
    ],
    [
      "a message port, by on",
      'import { Worker } from "node:worker_threads"; const { port1, port2 } = new MessageChannel(); port1.on("message", () => { port1.close(); console.log("late") }); new Worker(`require("node:fs").readFileSync("fifo0"); require("node:worker_threads").workerData.postMessage(1)`, { eval: true, workerData: port2, transferList: [port2] });',
    ],
    [
      "a message port, by addEventListener",
      'import { Worker } from "node:worker_threads"; const { port1, port2 } = new MessageChannel(); port1.addEventListener("message", () => { port1.close(); console.log("late") }); port1.start(); new Worker(`require("node:fs").readFileSync("fifo0"); require("node:worker_threads").workerData.postMessage(1)`, { eval: true, workerData: port2, transferList: [port2] });',
    ],
    [
      "a message port, by onmessage",
      'import { Worker } from "node:worker_threads"; const { port1, port2 } = new MessageChannel(); port1.onmessage = () => { port1.close(); console.log("late") }; new Worker(`require("node:fs").readFileSync("fifo0"); require("node:worker_threads").workerData.postMessage(1)`, { eval: true, workerData: port2, transferList: [port2] });',
    ],
    [
      "a broadcast channel",
      'import { Worker } from "node:worker_threads"; const channel = new BroadcastChannel("c"); channel.onmessage = () => { channel.close(); console.log("late") }; new Worker(`require("node:fs").readFileSync("fifo0"); new BroadcastChannel("c").postMessage(1)`, { eval: true });',
    ],
    ["an abort signal", 'AbortSignal.timeout(300).addEventListener("abort", () => console.log("late"));'],
    [
      "an object with handleEvent",
      'AbortSignal.timeout(300).addEventListener("abort", { handleEvent() { console.log("late") } });',
    ],
    [
      "a signal of the process",
      'import { spawn } from "node:child_process"; process.once("SIGUSR2", () => console.log("late")); spawn("sh", ["-c", "cat fifo0; kill -USR2 " + process.pid]);',
    ],
    [
      "a collected object",
      'import { createReadStream } from "node:fs"; const registry = new FinalizationRegistry(() => console.log("late")); (() => registry.register({}, 1))(); const { setFlagsFromString } = await import("node:v8"); setFlagsFromString("--expose-gc"); const gc = (await import("node:vm")).runInNewContext("gc"); createReadStream(fifo).on("data", () => gc());',
    ],
  ])("%s", async (_, source) => {
    await expectUnderFirstCell(source);
  });
});

describe("of the network", () => {
  test.each([
    ["a socket", "net.connect(port).on('data', () => console.log('late'));"],
    [
      "a server",
      "net.createServer(() => console.log('late')).listen(0, '127.0.0.1', function () { net.connect(port).once('data', () => net.connect(this.address().port)); });",
    ],
    ["http.get", "http.get({ port }, (response) => response.on('end', () => console.log('late')).resume());"],
    [
      "fetch",
      "void fetch('http://127.0.0.1:' + port).then((response) => response.text()).then(() => console.log('late'));",
    ],
    ["a web socket", "new WebSocket('ws://127.0.0.1:' + port).onerror = () => console.log('late');"],
  ])("%s", async (kind, source) => {
    if (kind === "a web socket" && Number(process.versions.node.split(".")[0]) < 22) return;
    await using harness = new SessionHarness();
    let open = (): void => {};
    const server = createServer((socket) => {
      const answer = (): void => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
      open = answer;
      socket.on("error", () => {});
    });
    const port = await listening(server);
    await harness.run(`import net from "node:net"; import http from "node:http"; const port = ${port};`);
    const connected = new Promise((resolve) => server.once("connection", resolve));
    await harness.run(source);
    await connected;
    await harness.run('console.log("other")');
    open();
    const late = await harness.message((message) => message.type === "stream" && message.text.includes("late"));
    expect(late).toMatchObject({ cell: "2" });
    expect(harness.text(3)).toBe("other\n");
    server.close();
  });
});

describe("an error that nobody catches is shown under the cell it comes from, of", () => {
  test.each([
    ["a timer", "setTimeout(() => { throw new Error('late') }, 200);"],
    ["a chain of timers", "setTimeout(() => setTimeout(() => { throw new Error('late') }, 100), 100);"],
    [
      "setImmediate after a native callback",
      "fs.readFile(fifo, () => setImmediate(() => { throw new Error('late') }));",
    ],
    ["a native callback", "fs.readFile(fifo, () => { throw new Error('late') });"],
    ["a listener of an emitter", "fs.createReadStream(fifo).on('data', () => { throw new Error('late') });"],
    [
      "a listener of an event target",
      "AbortSignal.timeout(200).addEventListener('abort', () => { throw new Error('late') });",
    ],
    ["a microtask", "fs.readFile(fifo, () => queueMicrotask(() => { throw new Error('late') }));"],
    ["nextTick", "fs.readFile(fifo, () => process.nextTick(() => { throw new Error('late') }));"],
    [
      "an emitter's error without a listener",
      "import { Readable } from 'node:stream'; const r = new Readable({ read() {} }); fs.readFile(fifo, () => r.destroy(new Error('late')));",
    ],
    [
      "a rejection in an async function",
      "void (async () => { await fs.promises.readFile(fifo); throw new Error('late') })();",
    ],
    ["a rejected promise nobody made wait", "fs.readFile(fifo, () => void Promise.reject(new Error('late')));"],
  ])("%s", async (_, source) => {
    await using harness = new SessionHarness();
    const fifo = join(harness.folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    await harness.run('import fs from "node:fs"; const fifo = "fifo"; let x = 1;');
    await harness.run(source);
    await harness.run('console.log("other")');
    if (source.includes("fifo")) await openGate(fifo);
    const late = await harness.message((message) => message.type === "lateError" && message.error.message === "late");
    expect(late).toMatchObject({ cell: "2" });
    expect(await harness.value("x")).toBe("1");
  });
});

describe("wrapped callbacks are seen by nobody", () => {
  test.each([
    [
      "a listener of an event target is removed",
      "const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener('x', f); t.addEventListener('x', f); t.dispatchEvent(new Event('x')); t.removeEventListener('x', f); t.dispatchEvent(new Event('x')); n",
      "1",
    ],
    [
      "an object that listens",
      "const t = new EventTarget(); const o = { n: 0, handleEvent(this: { n: number }) { this.n++ } }; t.addEventListener('x', o); t.dispatchEvent(new Event('x')); t.removeEventListener('x', o); t.dispatchEvent(new Event('x')); o.n",
      "1",
    ],
    [
      "once",
      "const t = new EventTarget(); let n = 0; t.addEventListener('x', () => n++, { once: true }); t.dispatchEvent(new Event('x')); t.dispatchEvent(new Event('x')); n",
      "1",
    ],
    [
      "the event and its target",
      "const t = new EventTarget(); let seen; t.addEventListener('x', function (this: unknown, event) { seen = [this === t, event.target === t, event.type] }); t.dispatchEvent(new Event('x')); seen",
      "[ true, true, 'x' ]",
    ],
    [
      "a listener of an emitter is removed and listed",
      "import { EventEmitter } from 'node:events'; const e = new EventEmitter(); const f = () => {}; e.on('x', f); e.once('x', f); const listed = e.listeners('x').every((one) => one === f); e.off('x', f); e.off('x', f); [listed, e.listenerCount('x')]",
      "[ true, 0 ]",
    ],
    [
      "unwatchFile",
      "import { unwatchFile, watchFile } from 'node:fs'; const f = () => {}; const watcher = watchFile('.', f); unwatchFile('.', f); watcher.listenerCount('change')",
      "0",
    ],
    [
      "names and lengths",
      "import { readFile } from 'node:fs'; [readFile.name, readFile.length, setTimeout.name, FinalizationRegistry.name]",
      "[ 'readFile', 3, 'setTimeout', 'FinalizationRegistry' ]",
    ],
    [
      "promisified functions that have a form of their own",
      "import { promisify } from 'node:util'; import fs from 'node:fs'; import dns from 'node:dns'; const fd = fs.openSync('/dev/null', 'r'); const read = await promisify(fs.read)(fd, Buffer.alloc(1), 0, 1, 0); [read.bytesRead, await promisify(fs.exists)('.'), (await promisify(dns.lookup)('127.0.0.1')).family, await promisify(setTimeout)(1, 'slept')]",
      "[ 0, true, 4, 'slept' ]",
    ],
    [
      "an AsyncLocalStorage of the user in every kind of callback",
      `import { AsyncLocalStorage } from 'node:async_hooks'; import fs from 'node:fs'; import crypto from 'node:crypto';
      const store = new AsyncLocalStorage<number>(); const t = new EventTarget();
      const kinds: ((done: () => void) => void)[] = [(f) => setTimeout(f, 1), (f) => setImmediate(f), queueMicrotask, (f) => process.nextTick(f), (f) => fs.stat('.', f), (f) => crypto.randomBytes(1, f),
        (f) => { t.addEventListener('x', f, { once: true }); t.dispatchEvent(new Event('x')) }, (f) => fs.createReadStream('/dev/null').on('end', f).resume(), (f) => void Promise.resolve().then(f)];
      (await Promise.all(kinds.map((start, at) => store.run(at, () => new Promise((seen) => start(() => seen(store.getStore() === at))))))).every(Boolean)`,
      "true",
    ],
  ])("%s", async (_, source, value) => {
    await using harness = new SessionHarness();
    expect(await harness.value(source)).toBe(value);
  });

  test("a function that a second cell adds again prints under that one", async () => {
    await using harness = new SessionHarness();
    await harness.run("const signal = AbortSignal.timeout(300); const shout = () => console.log('late');");
    await harness.run("signal.addEventListener('abort', shout);");
    await harness.run("signal.addEventListener('abort', shout);");
    await harness.run("'another'");
    const late = await harness.message((message) => message.type === "stream");
    expect(late).toMatchObject({ cell: "3", text: "late\n" });
  });
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
}
