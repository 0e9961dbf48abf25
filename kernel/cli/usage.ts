/** Wrong use of the command line: one clear line, exit code 2. */
import { type ParseArgsConfig, parseArgs } from "node:util";

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_TIME = 3;
export const EXIT_INTERRUPTED = 130;

/** Says what is wrong with the command as typed. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Parses a command's arguments; unknown options and missing values become a `UsageError`. */
export function parseCommand<T extends Options>(command: string, args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const [first] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(`heddle ${command}: ${first}; see heddle ${command} --help`);
  }
}

/** Node's timers know no longer time. */
const longestTimerMs = 2 ** 31 - 1;

/** A positive number of milliseconds out of an option's text. */
export function parseMilliseconds(command: string, option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new UsageError(
      `heddle ${command}: --${option} must be milliseconds greater than 0, not ${JSON.stringify(text)}`,
    );
  if (value > longestTimerMs)
    throw new UsageError(`heddle ${command}: --${option} must be at most ${longestTimerMs} ms (24 days), not ${text}`);
  return value;
}
