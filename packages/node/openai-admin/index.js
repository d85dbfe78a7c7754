// Starts the emulator of the OpenAI organization API, and controls it from tests.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { Organization } from './organization.js';
import { program } from './program.js';

export { ControlError } from './controls.js';

export async function startEmulator({ fixtures, args = [], stopAfter } = {}) {
  const openai = await import('openai').catch(() => undefined);
  const all = ['emulate', '--listen', '127.0.0.1:0', ...args, ...(fixtures ? ['--fixtures', fixtures] : [])];
  const child = spawn(program(), all, { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const emulator = new Emulator(child, await address(child), openai);
  stopAfter?.(() => emulator.stop());
  return emulator;
}

class Emulator {
  #child;
  #openai;
  #kill;

  constructor(child, address, openai) {
    this.#child = child;
    this.#openai = openai;
    this.address = address;
    // A test file that forgets `stop` neither waits for the emulator nor leaves it running.
    this.#kill = () => child.kill();
    process.once('exit', this.#kill);
    child.unref();
    child.stdout.unref();
  }

  organization(name = randomUUID()) {
    return new Organization(`${this.address}/_ns/${encodeURIComponent(name)}`, this.#openai);
  }

  async stop() {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.ref();
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  async [Symbol.asyncDispose]() {
    await this.stop();
  }
}

/** The environment without the settings of the real service. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENAI_')));
}

/** Waits for the line that the emulator prints once it listens. */
async function address(child) {
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the emulator exited with ${code}; its message is on standard error`);
    }),
  ]);
  lines.close();
  return JSON.parse(line).url.replace(/\/v1$/, '');
}
