/** Collects what cells publish into the outputs that a notebook stores, as a Jupyter client does. */
import type { Message } from "../wire/message.ts";
import { type Cell, joined, type Output } from "./notebook.ts";

type Shown = Extract<Output, { output_type: "display_data" | "execute_result" }>;

export class Outputs {
  /** Outputs that later messages may replace, by display id. */
  readonly #displays = new Map<string, Shown[]>();
  readonly #cleared = new WeakSet<Cell>();
  readonly #charts = new WeakSet<Output>();

  /** Adds one iopub message to the outputs of the cell that caused it. */
  add(cell: Cell, message: Message): void {
    cell.outputs ??= [];
    const { content } = message;
    switch (message.header.msg_type) {
      case "stream":
        return this.#stream(cell, content.name as "stdout" | "stderr", content.text as string);
      case "display_data":
      case "execute_result":
        return this.#show(cell, message);
      case "update_display_data":
        return this.#update(message);
      case "error": {
        const { ename, evalue, traceback } = content as { ename: string; evalue: string; traceback: string[] };
        return this.#push(cell, { output_type: "error", ename, evalue, traceback });
      }
      case "clear_output":
        if (content.wait === true) this.#cleared.add(cell);
        else cell.outputs = [];
    }
  }

  /**
   * Takes out of the order of a cell's outputs what depends on the moment, so that the next run gives the same: its
   * timeline, which appears whenever work has gone on for a while, goes behind all that it shows before its end.
   */
  settle(cell: Cell): void {
    const outputs = cell.outputs ?? [];
    const others = joinStreams(outputs.filter((output) => !this.#charts.has(output)));
    const end = others.findIndex(({ output_type }) => output_type === "execute_result" || output_type === "error");
    others.splice(end < 0 ? others.length : end, 0, ...outputs.filter((output) => this.#charts.has(output)));
    cell.outputs = others;
  }

  #push(cell: Cell, output: Output): void {
    // clear_output with `wait` takes effect when something new comes.
    if (this.#cleared.delete(cell)) cell.outputs = [];
    cell.outputs!.push(output);
  }

  #stream(cell: Cell, name: "stdout" | "stderr", text: string): void {
    const last = this.#cleared.has(cell) ? undefined : cell.outputs!.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text = String(last.text) + text;
    else this.#push(cell, { output_type: "stream", name, text });
  }

  #show(cell: Cell, { content, header }: Message): void {
    const { data, metadata } = content as { data: Record<string, unknown>; metadata: Record<string, unknown> };
    const output: Shown =
      header.msg_type === "execute_result"
        ? { output_type: "execute_result", execution_count: content.execution_count as number, data, metadata }
        : { output_type: "display_data", data, metadata };
    this.#push(cell, output);
    const id = displayId(content);
    if (id === undefined) return;
    this.#displays.set(id, [...(this.#displays.get(id) ?? []), output]);
    if (id.startsWith("heddle-timeline-")) this.#charts.add(output);
  }

  #update({ content }: Message): void {
    const id = displayId(content);
    for (const output of (id === undefined ? undefined : this.#displays.get(id)) ?? []) {
      output.data = content.data as Record<string, unknown>;
      output.metadata = content.metadata as Record<string, unknown>;
    }
  }
}

/** Neighbouring pieces of one stream become one. */
function joinStreams(outputs: readonly Output[]): Output[] {
  const result: Output[] = [];
  for (const output of outputs) {
    const last = result.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name)
      last.text = joined(last.text) + joined(output.text);
    else result.push(output);
  }
  return result;
}

const displayId = (content: Record<string, unknown>): string | undefined =>
  (content.transient as { display_id?: string } | undefined)?.display_id;
