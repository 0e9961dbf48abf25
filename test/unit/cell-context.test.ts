/** Under which cell code runs while another cell begins. */
import { expect, test } from "vitest";
import {
  beginStart,
  boundTo,
  currentCell,
  finishStart,
  newCell,
  resetCurrent,
} from "../../kernel/session/cell-context.ts";

const [first, second] = [newCell(1, "1", false), newCell(2, "2", false)];

test("a callback between the begin of a cell and its script is under its own cell", () => {
  beginStart(second);
  expect(boundTo(first, () => currentCell().label)()).toBe("1");
  expect(currentCell().label).toBe("2");
  finishStart();
});

test("a cell whose script comes in the middle of a callback is under itself, and the callback goes on under its own", () => {
  const labels = boundTo(first, () => {
    beginStart(second);
    const script = currentCell().label;
    finishStart();
    return [script, currentCell().label];
  });
  expect(labels()).toEqual(["2", "1"]);
  resetCurrent();
});

test("a callback that ends before the script has begun leaves nothing behind", () => {
  boundTo(first, () => beginStart(second))();
  finishStart();
  expect(currentCell().label).toBe("2");
});
