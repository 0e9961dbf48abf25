/** The parts of the Debug Adapter Protocol that cross the seam to a client; names are the protocol's. */

export interface Response {
  type: "response";
  seq: number;
  request_seq: number;
  command: string;
  success: boolean;
  message?: string;
  body?: object;
}

export interface Event {
  type: "event";
  seq: number;
  event: string;
  body: object;
}

export interface Source {
  name: string;
  path: string;
}

export interface Breakpoint {
  verified: boolean;
  line: number;
  source: Source;
  message?: string;
}

export interface StackFrame {
  id: number;
  name: string;
  source: Source;
  line: number;
  column: number;
}

export interface Variable {
  name: string;
  value: string;
  type?: string;
  /** An expression that gives the value again. */
  evaluateName?: string;
  /** By which its parts are asked for; 0 where it has none. */
  variablesReference: number;
  indexedVariables?: number;
}
