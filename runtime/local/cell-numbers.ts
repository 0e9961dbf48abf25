import { currentHost } from "../host.ts";

/** Numbers under which the scheduler knows the cells of this thread's code. */
export class CellNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #announce: (id: number, label: string) => void;

  constructor(announce: (id: number, label: string) => void) {
    this.#announce = announce;
  }

  /** That of the cell that runs now; 0 for none. */
  current(): number {
    const label = currentHost()?.currentCell();
    if (label === undefined) return 0;
    let id = this.#numbers.get(label);
    if (id === undefined) {
      id = this.#numbers.size + 1;
      this.#numbers.set(label, id);
      this.#announce(id, label);
    }
    return id;
  }
}
