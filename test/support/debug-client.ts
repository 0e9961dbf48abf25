/** A client of the kernel's debugger, over the wire as JupyterLab uses it. */
import type { Content, Received, WireClient } from "./wire-client.ts";

export interface Response extends Content {
  success: boolean;
  command: string;
  message?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the body of each command is what its test says it is
  body: any;
}

/** A variable as text, by its name. */
export type Shown = Record<string, string>;

interface Variable {
  name: string;
  value: string;
  variablesReference: number;
}

export class DebugClient {
  readonly #client: WireClient;
  #seq = 0;
  #heard = 0;

  constructor(client: WireClient) {
    this.#client = client;
  }

  /** Sends a command; resolves with the response, whatever it says. */
  async request(command: string, args: Content = {}): Promise<Response> {
    const content = { type: "request", seq: ++this.#seq, command, arguments: args };
    return (await this.#client.ask("control", "debug_request", content)) as Response;
  }

  /** Sends a command that must succeed; resolves with the body of its response. */
  async ask(command: string, args: Content = {}): Promise<Response["body"]> {
    const response = await this.request(command, args);
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body;
  }

  /** Starts debugging as JupyterLab does. */
  async start(clientID = "jupyterlab"): Promise<void> {
    await this.ask("initialize", { clientID, linesStartAt1: true, columnsStartAt1: true });
    await this.ask("attach");
  }

  /** Sets breakpoints in a cell before it runs; resolves with the lines they got. */
  async breakAt(code: string, ...lines: number[]): Promise<number[]> {
    const { sourcePath: path } = await this.ask("dumpCell", { code });
    const breakpoints = lines.map((line) => ({ line }));
    const told = await this.ask("setBreakpoints", { source: { path }, breakpoints, sourceModified: false });
    return told.breakpoints.map(({ line }: { line: number }) => line);
  }

  /** Sends a cell off; resolves with the id of its request. */
  run(code: string): Promise<string> {
    return this.#client.send("shell", "execute_request", { code });
  }

  /** The next event of this name that has not been waited for yet, and everything it says. */
  async event(name: string): Promise<Content> {
    const fits = ({ content, header }: Received): boolean =>
      header.msg_type === "debug_event" && content.event === name;
    let index = -1;
    await this.#client.next((message) => {
      index = this.#client.received.indexOf(message);
      return index >= this.#heard && fits(message);
    });
    this.#heard = index + 1;
    return this.#client.received[index]!.content.body as Content;
  }

  /** Waits until the thread is paused; resolves with why, and in which lines of which sources it is, innermost first. */
  async stopped(): Promise<{ reason: unknown; frames: string[]; frameIds: number[] }> {
    const { reason } = await this.event("stopped");
    const { stackFrames } = await this.ask("stackTrace", { threadId: 1 });
    return {
      reason,
      frames: stackFrames.map((frame: { name: string; line: number; column: number }) => `${frame.name}:${frame.line}`),
      frameIds: stackFrames.map((frame: { id: number }) => frame.id),
    };
  }

  /** The variables of a frame, by scope. */
  async scopes(frameId: number): Promise<Record<string, Shown>> {
    const { scopes } = await this.ask("scopes", { frameId });
    const shown: Record<string, Shown> = {};
    for (const { name, variablesReference } of scopes) shown[name] = await this.variables(variablesReference);
    return shown;
  }

  /** What is behind a reference, as text. */
  async variables(variablesReference: number, page: Content = {}): Promise<Shown> {
    return texts((await this.ask("variables", { variablesReference, ...page })).variables);
  }
}

/** Variables as texts by name. */
export function texts(variables: readonly Variable[]): Shown {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}
