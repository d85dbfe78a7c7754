// An organization of the emulator that one test uses, with its clock, faults, rules, journal and snapshots.

import { AssertionError } from 'node:assert';
import { randomUUID } from 'node:crypto';

import { ControlError, Controls } from './controls.js';

export class Organization {
  #address;
  #controls;
  #openai;
  #client;

  constructor(address, openai) {
    this.#address = address;
    this.#controls = new Controls(address);
    this.#openai = openai;
    this.baseURL = `${address}/v1`;
    this.apiKey = 'sk-admin-test'; // The emulator accepts every key.
    this.faults = new Faults(this.#controls);
    this.rules = new Rules(this.#controls);
    this.clock = new Clock(this.#controls);
    this.journal = new Journal(this.#controls);
  }

  get client() {
    if (!this.#openai) throw new Error('the package openai is not installed: npm install --save-dev openai');
    this.#client ??= new this.#openai.OpenAI({
      apiKey: this.apiKey,
      adminAPIKey: this.apiKey,
      baseURL: this.baseURL,
      maxRetries: 0,
    });
    return this.#client;
  }

  get environment() {
    return { OPENAI_BASE_URL: this.baseURL, OPENAI_ADMIN_KEY: this.apiKey };
  }

  async snapshot() {
    const path = `/snapshots/${randomUUID()}`;
    await this.#controls.call('PUT', path);
    return new Snapshot(this.#controls, path);
  }

  async load(document) {
    await this.#controls.call('POST', '/import', document);
  }

  export() {
    return this.#controls.call('GET', '/export');
  }

  async reset() {
    await this.#controls.call('POST', '/reset');
  }

  async close() {
    try {
      await this.#controls.call('DELETE', `/namespaces/${this.#address.split('/').at(-1)}`);
    } catch (error) {
      if (!(error instanceof ControlError && error.status === 404)) throw error;
    }
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

class Snapshot {
  #controls;
  #path;

  constructor(controls, path) {
    this.#controls = controls;
    this.#path = path;
  }

  async restore() {
    await this.#controls.call('POST', `${this.#path}/restore`);
  }

  async [Symbol.asyncDispose]() {
    await this.restore();
  }
}

class Faults {
  #controls;

  constructor(controls) {
    this.#controls = controls;
  }

  async add(kind, { operation, name, skip, count, probability, ...parameters } = {}) {
    await this.addRule({ operation, name, skip, count, probability, fault: { kind, ...parameters } });
  }

  async addRule(rule) {
    await this.#controls.call('POST', '/faults', rule);
  }

  async replace(rules = [], { profile, stale_reads_ms } = {}) {
    await this.#controls.call('PUT', '/faults', { profile, stale_reads_ms, rules });
  }

  async remove(name) {
    await this.#controls.call('DELETE', `/faults/${encodeURIComponent(name)}`);
  }

  async clear() {
    await this.replace();
  }

  async rules() {
    return (await this.#controls.call('GET', '/faults')).rules;
  }
}

class Rules {
  #controls;

  constructor(controls) {
    this.#controls = controls;
  }

  async off(...names) {
    await this.#switch(names, 'off');
  }

  async on(...names) {
    await this.#switch(names, 'on');
  }

  states() {
    return this.#controls.call('GET', '/rules');
  }

  async #switch(names, state) {
    await this.#controls.call('PUT', '/rules', Object.fromEntries(names.map((name) => [name, state])));
  }
}

class Clock {
  #controls;

  constructor(controls) {
    this.#controls = controls;
  }

  async now() {
    return new Date((await this.#controls.call('GET', '/clock')).now);
  }

  async set(now, { runs = false } = {}) {
    await this.#controls.call('PUT', '/clock', { now: now.toISOString(), runs });
  }

  async step(ms) {
    await this.#controls.call('POST', '/clock/step', { ms });
  }
}

class Journal {
  #controls;

  constructor(controls) {
    this.#controls = controls;
  }

  async requests(filters = {}) {
    return (await this.#controls.call('GET', `/requests?${new URLSearchParams(filters)}`)).data;
  }

  async clear() {
    await this.#controls.call('DELETE', '/requests');
  }

  async assertCalled(operation, { times, ...criteria } = {}) {
    const number = times === undefined ? { at_least: 1 } : { exactly: times };
    await this.#verify({ operation, ...criteria, ...number });
  }

  async assertNotCalled(operation, criteria = {}) {
    await this.assertCalled(operation, { ...criteria, times: 0 });
  }

  async assertInOrder(...requests) {
    await this.#verify({ in_order: requests });
  }

  async #verify(assertion) {
    try {
      await this.#controls.call('POST', '/verify', assertion);
    } catch (error) {
      if (error instanceof ControlError && error.status === 409) throw new AssertionError({ message: error.message });
      throw error;
    }
  }
}
