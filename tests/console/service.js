// Starts the real binary with a web console, each in a separate folder.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = path.join(path.dirname(new URL(import.meta.url).pathname), '../..');
const BINARY = path.resolve(process.env.OPENAI_ADMIN_BIN ?? path.join(ROOT, 'target/debug/openai-admin'));
const START_MS_MAX = 60_000;

export const ACME = path.join(ROOT, 'examples/acme/organization.yaml');

/** A database with an organization, and the consoles that show it. */
export class Site {
  #folder;
  #processes = [];
  /** The visits of the site. They end before it does. */
  visits = [];
  /** The address of the last console that was started. */
  address;

  /**
   * A site that ends with a test. `directory` is a file or an object in the format of `load`; without it, the
   * organization is empty.
   */
  constructor(t, directory = { organization: { id: 'org-empty', title: 'Empty' } }) {
    t.after(() => this.#close());
    this.#folder = mkdtempSync(path.join(tmpdir(), 'openai-admin-console.'));
    this.fixtures = directory;
    if (typeof directory !== 'string') {
      this.fixtures = path.join(this.#folder, 'directory.yaml');
      writeFileSync(this.fixtures, JSON.stringify(directory));
    }
  }

  /** `openai-admin console` of a database. Returns the link that signs in once. */
  async startLocal() {
    this.run('load', this.fixtures);
    const line = await this.#start(/until Ctrl-C: (\S+)/, ['console', '--no-browser', '--listen', '127.0.0.1:0']);
    this.address = new URL(line[1]).origin;
    return line[1];
  }

  /** `openai-admin serve` of a database. Returns an admin key with all scopes. */
  async startServer() {
    this.run('load', this.fixtures);
    const key = this.createKey('console');
    const line = await this.#start(/listening on (\S+)/, ['serve', '--listen', '127.0.0.1:0']);
    this.address = line[1];
    return key;
  }

  /** `openai-admin emulate`. */
  async startEmulator(...options) {
    const args = ['emulate', '--listen', '127.0.0.1:0', '--fixtures', this.fixtures, ...options];
    const line = await this.#start(/^\{.*\}$/, args);
    this.address = new URL(JSON.parse(line[0]).url).origin;
  }

  /** A further key of the database. */
  createKey(name, ...scopes) {
    const options = scopes.flatMap((scope) => ['--scope', scope]);
    return JSON.parse(this.run('keys', 'create', '--name', name, ...options, '-o', 'json')).key;
  }

  /** Runs a command on the database, and returns its output. */
  run(...args) {
    const done = spawnSync(BINARY, ['--local', 'console.db', ...args], { ...this.#options(), encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`openai-admin ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  }

  #options() {
    const names = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENAI_'));
    // Runs and settings of the developer stay away.
    const env = { ...Object.fromEntries(names), HOME: this.#folder, XDG_STATE_HOME: this.#folder };
    return { cwd: this.#folder, env };
  }

  async #start(pattern, args) {
    const local = args[0] === 'emulate' ? [] : ['--local', 'console.db'];
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(BINARY, [...local, ...args], { ...this.#options(), stdio });
    this.#processes.push(child);
    const printed = [];
    return await new Promise((resolve, reject) => {
      const fail = (text) => reject(new Error(`openai-admin ${args[0]} ${text}\n${printed.join('\n')}`));
      const timer = setTimeout(() => fail(`printed no address within ${START_MS_MAX} ms`), START_MS_MAX);
      child.once('exit', (code) => fail(`ended with ${code}`));
      // Both streams are read to the end: a full pipe would block the process.
      for (const name of ['stdout', 'stderr']) {
        createInterface({ input: child[name] }).on('line', (line) => {
          printed.push(line);
          const found = pattern.exec(line);
          if (found) {
            clearTimeout(timer);
            resolve(found);
          }
        });
      }
    });
  }

  /** Ends the visits and the consoles, and removes the folder. */
  async #close() {
    const ended = await Promise.allSettled(this.visits.map((visit) => visit.end()));
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  }
}
