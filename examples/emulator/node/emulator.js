// One emulator for a file of tests, and a separate organization for each test.
//
// Needs `openai-admin` on the PATH, or its path in OPENAI_ADMIN_BIN.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import OpenAI from 'openai';

export class Emulator {
  #process;
  #address;

  /** Starts an emulator whose organizations all begin as the file `fixtures` says. */
  static async start(fixtures) {
    const emulator = new Emulator();
    const binary = process.env.OPENAI_ADMIN_BIN ?? 'openai-admin';
    const args = ['emulate', '--listen', '127.0.0.1:0', '--fixtures', fixtures];
    emulator.#process = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: emulator.#process.stdout });
    // It listens once it has written this line.
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(emulator.#process, 'exit').then(([code]) => {
        throw new Error(`the emulator ended with ${code} before it listened`);
      }),
    ]);
    emulator.#address = JSON.parse(line).url.replace(/\/v1$/, '');
    return emulator;
  }

  /** An organization that only one test uses. */
  organization() {
    return new Organization(`${this.#address}/_ns/${randomUUID()}`);
  }

  async stop() {
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
  }
}

export class Organization {
  #address;

  constructor(address) {
    this.#address = address;
    // Any key is right.
    const client = new OpenAI({ adminAPIKey: 'sk-admin-test', baseURL: `${address}/v1`, maxRetries: 0 });
    this.groups = client.admin.organization.groups;
    this.users = client.admin.organization.users;
  }

  /** Asks the emulator itself: faults, clock, snapshots, reset. */
  async control(method, path, body) {
    const answer = await fetch(`${this.#address}/_emulator${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${(await answer.json()).error.message}`);
    return answer;
  }

  /** Throws unless an operation was called exactly this many times. */
  async verify(operation, path, exactly) {
    await this.control('POST', '/verify', { operation, path, exactly });
  }
}
