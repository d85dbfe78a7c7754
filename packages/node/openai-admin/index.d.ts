import type OpenAI from 'openai';

export interface EmulatorOptions {
  /** A file that each organization starts with, in the format of `openai-admin load`. */
  fixtures?: string;
  /** Further arguments of `openai-admin emulate`. */
  args?: string[];
  /** The hook of the test runner that stops the emulator: `after` of node:test, `afterAll` of Vitest and Jest. */
  stopAfter?: (stop: () => Promise<void>) => unknown;
}

/** Starts an emulator on a free port of loopback, and resolves once it listens. Rejects if it does not start. */
export function startEmulator(options?: EmulatorOptions): Promise<Emulator>;

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Such as http://127.0.0.1:12345. */
  readonly address: string;
  /** Returns a separate organization, which starts with the fixtures. Without a name it is a new one. A name has no `/`. */
  organization(name?: string): Organization;
  /** Stops the process. */
  stop(): Promise<void>;
}

/** An organization that one test uses. It exists from its first request. */
export interface Organization extends AsyncDisposable {
  /** The base URL for any client. */
  readonly baseURL: string;
  /** A key for any client. The emulator accepts every key. */
  readonly apiKey: string;
  /** A client of the official package `openai`, which must be installed. It does not retry. */
  readonly client: OpenAI;
  /** OPENAI_BASE_URL and OPENAI_ADMIN_KEY, for code that creates its own client. */
  readonly environment: { OPENAI_BASE_URL: string; OPENAI_ADMIN_KEY: string };
  readonly faults: Faults;
  readonly rules: Rules;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Saves the users, groups and everything else that the API stores. */
  snapshot(): Promise<Snapshot>;
  /** Creates the entries of a document in the format of `openai-admin load`, and updates those that differ. */
  load(document: object): Promise<void>;
  /** Returns the organization as a document that `load` accepts. */
  export(): Promise<Record<string, unknown>>;
  /** Restores the fixtures, the clock and the faults, and clears the journal. */
  reset(): Promise<void>;
  /** Deletes the organization, if it exists. */
  close(): Promise<void>;
}

/** A saved state. `await using` restores it at the end of the block. */
export interface Snapshot extends AsyncDisposable {
  /** Restores the state. Clock, faults and journal keep theirs. */
  restore(): Promise<void>;
}

/** Conditions of a rule; without `operation` it applies to every operation, and without `count` without a limit. */
export interface Conditions {
  operation?: string;
  name?: string;
  skip?: number;
  count?: number;
  probability?: number;
}

/** The kinds of faults; docs/emulator.md describes them. */
export interface FaultParameters {
  rate_limited: { wait_seconds?: number; told?: 'header' | 'message' | 'nowhere' };
  budget: { requests_per_minute: number; told?: 'header' | 'message' | 'nowhere' };
  status: { status: number; body?: 'json' | 'html' | 'text' | 'empty'; retry_after_seconds?: number };
  reset: { when: 'before' | 'after' };
  truncated: { bytes?: number };
}

/** Injected faults. */
export interface Faults {
  /** Adds a rule that injects a fault of this kind. */
  add<Kind extends keyof FaultParameters>(kind: Kind, rule: Conditions & FaultParameters[Kind]): Promise<void>;
  /** Adds a rule as `--faults` reads it, such as one with a sequence or a latency. */
  addRule(rule: object): Promise<void>;
  /** Replaces all rules, and sets a profile. */
  replace(
    rules?: object[],
    settings?: { profile?: 'production-like' | 'flaky' | 'slow'; stale_reads_ms?: number },
  ): Promise<void>;
  /** Removes the rule with this name. */
  remove(name: string): Promise<void>;
  /** Removes all rules. */
  clear(): Promise<void>;
  /** Returns all rules, each with its counts. */
  rules(): Promise<Array<{ rule: object; counts: { matched: number; injected: number; delayed: number } }>>;
}

/** The assumed rules, which can be switched off; docs/emulator.md lists them. */
export interface Rules {
  /** Switches these rules off until the next reset. */
  off(...names: string[]): Promise<void>;
  /** Switches these rules on. */
  on(...names: string[]): Promise<void>;
  /** Returns the state of each rule by its name. */
  states(): Promise<Record<string, 'on' | 'off'>>;
}

/** The clock of the organization. It fills in times, refills budgets and ends stale reads. */
export interface Clock {
  /** Returns the current time. */
  now(): Promise<Date>;
  /** Sets the time. The clock stands still from then on, unless `runs` is true. */
  set(now: Date, options?: { runs?: boolean }): Promise<void>;
  /** Advances the clock by whole milliseconds. */
  step(ms: number): Promise<void>;
}

/** Restricts an assertion to requests with these values; further fields are those of `POST /_emulator/verify`. */
export interface Criteria {
  path?: Record<string, string>;
  body?: Record<string, unknown>;
  [field: string]: unknown;
}

/** The requests that the organization received, including those that a fault was injected into. */
export interface Journal {
  /** Returns requests, oldest first. Filters are those of `GET /_emulator/requests`, such as `operation`. */
  requests(filters?: Record<string, string>): Promise<Array<Record<string, unknown>>>;
  /** Forgets all requests. */
  clear(): Promise<void>;
  /** Asserts that an operation was requested: exactly `times` times, or at least once. */
  assertCalled(operation: string, criteria?: Criteria & { times?: number }): Promise<void>;
  /** Asserts that an operation was never requested. */
  assertNotCalled(operation: string, criteria?: Criteria): Promise<void>;
  /** Asserts that requests came in this order. Others may be in between. */
  assertInOrder(...requests: Array<Criteria & { operation?: string }>): Promise<void>;
}

/** The emulator refused a control request. */
export class ControlError extends Error {
  readonly status: number;
}
