/** The connection file: where the sockets are to be and how messages are signed. */
import { chmodSync, readFileSync } from "node:fs";

export interface Connection {
  transport: "tcp" | "ipc";
  ip: string;
  key: string;
  signature_scheme: string;
  shell_port: number;
  control_port: number;
  stdin_port: number;
  iopub_port: number;
  hb_port: number;
  /** The kernelspec's name, which clients of Jupyter add. */
  kernel_name?: string;
}

const ports = ["shell_port", "control_port", "stdin_port", "iopub_port", "hb_port"] as const;
export type PortName = (typeof ports)[number];

/** Reads and checks a connection file; throws an `Error` that names the file and the field. */
export function readConnectionFile(path: string): Connection {
  let content: Partial<Connection>;
  try {
    content = JSON.parse(readFileSync(path, "utf8")) as Partial<Connection>;
  } catch (error) {
    throw new Error(`connection file ${path}: ${(error as Error).message}`);
  }
  const { ip = "127.0.0.1", key = "", signature_scheme = "hmac-sha256", transport = "tcp" } = content;
  if (transport !== "tcp" && transport !== "ipc")
    throw new Error(`connection file ${path}: transport ${JSON.stringify(transport)} is not supported`);
  for (const port of ports) {
    if (!Number.isInteger(content[port]))
      throw new Error(`connection file ${path}: ${port} must be a whole number, not ${JSON.stringify(content[port])}`);
  }
  // The key in it lets anybody who reads it run code.
  try {
    chmodSync(path, 0o600);
  } catch {
    // Somebody else's file, who has set its rights.
  }
  return { ...(content as Connection), ip, key, signature_scheme, transport };
}

/** The address of one of the sockets. */
export function addressOf({ ip, transport, ...connection }: Connection, port: PortName): string {
  return transport === "ipc" ? `ipc://${ip}-${connection[port]}` : `tcp://${ip}:${connection[port]}`;
}
