import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchClient } from "../../kernel/client-watch.ts";

const named = process.env.JPY_PARENT_PID;
let client: ChildProcess;
let disconnect: () => void;
let endWatch: () => void;
const gone = vi.fn();

beforeEach(() => {
  client = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  process.env.JPY_PARENT_PID = String(client.pid);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  gone.mockClear();
  endWatch = watchClient((look) => {
    disconnect = look;
  }, gone);
});

afterEach(async () => {
  endWatch();
  vi.useRealTimers();
  if (named === undefined) delete process.env.JPY_PARENT_PID;
  else process.env.JPY_PARENT_PID = named;
  await kill();
});

async function kill(): Promise<void> {
  if (client.signalCode !== null) return;
  client.kill("SIGKILL");
  await once(client, "exit");
}

test("a client whose connection ends with it is missed at once", async () => {
  vi.advanceTimersByTime(60_000);
  expect(gone).not.toHaveBeenCalled();
  await kill();
  expect(gone).not.toHaveBeenCalled();
  disconnect();
  expect(gone).toHaveBeenCalledOnce();
});

test("a client that outlives its connection by a moment is missed a moment later", async () => {
  vi.advanceTimersByTime(60_000);
  disconnect();
  expect(gone).not.toHaveBeenCalled();
  await kill();
  vi.advanceTimersByTime(20);
  expect(gone).toHaveBeenCalledOnce();
});

test("a client that never connected is missed within five seconds", async () => {
  vi.advanceTimersByTime(60_000);
  await kill();
  vi.advanceTimersByTime(5_000);
  expect(gone).toHaveBeenCalledOnce();
});

test("a watch that has ended tells nothing", async () => {
  endWatch();
  await kill();
  disconnect();
  vi.advanceTimersByTime(60_000);
  expect(gone).not.toHaveBeenCalled();
});
