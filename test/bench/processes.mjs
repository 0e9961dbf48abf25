// Runs a program to its end and gives back what it printed.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const project = fileURLToPath(new URL("../../", import.meta.url));

/** Resolves to the standard output; rejects when the status is not 0, or after `timeout` ms. */
export function output(command, args, { env = {}, timeout = 300_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], timeout });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (status, signal) => {
      if (status === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? status}\n${stderr.slice(-2000)}`));
    });
  });
}

/** Lets each peer take its turn `rounds` times: { peer: [sample…] }, or { peer: { error } } for one that failed. */
export async function inTurns(peers, rounds, measure) {
  const samples = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      if (!Array.isArray(samples[peer])) continue;
      try {
        samples[peer].push(await measure(peer));
      } catch (error) {
        samples[peer] = { error: /^.*Error\b.*$/m.exec(error.message)?.[0] ?? error.message.split("\n")[0] };
        console.error(`${peer}: ${error.message}`);
      }
    }
  }
  return samples;
}
