// The tests of with-emulator.test.js without the emulator: first a service must be written, and kept like the real one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import OpenAI, { InternalServerError } from 'openai';

import { members, setMembers } from './team.js';

/** As much of the API as these tests use, with the faults, the clock and the journal that they need. */
class Service {
  users = ['user_ada', 'user_bo', 'user_cy', 'user_dee'];
  members = ['user_ada', 'user_bo'];
  requests = [];
  loseResponseTo;
  failFromRequest = Infinity;
  additionsPerMinute;
  removesTwice = false;
  removed = [];
  clockMs = 0;
  budgetRefilledAtMs = 0;
  client = new OpenAI({
    apiKey: 'unused',
    adminAPIKey: 'unused',
    baseURL: 'http://mock/v1',
    maxRetries: 0,
    fetch: (url, init) => this.answer(new URL(url), init),
  });

  async answer(url, { method, body }) {
    const request = { method: method.toUpperCase(), path: url.pathname, body: body ? JSON.parse(body) : {} };
    this.requests.push(request);
    if (this.requests.length > this.failFromRequest) return this.error(500, 'internal_error', 'The server had an error.');
    const found = /^\/v1\/organization\/groups\/group_support\/users(?:\/(\w+))?$/.exec(url.pathname);
    if (!found) return this.error(404, 'group_not_found', 'No such group.');
    if (request.method === 'GET') return this.list(url.searchParams);
    const response = request.method === 'POST' ? this.add(request.body.user_id) : this.remove(found[1]);
    if (request.method === this.loseResponseTo) {
      this.loseResponseTo = undefined;
      throw new TypeError('fetch failed');
    }
    return response;
  }

  list(query) {
    const limit = Number(query.get('limit') ?? 20);
    const start = query.has('after') ? this.members.indexOf(query.get('after')) + 1 : 0;
    const page = this.members.slice(start, start + limit);
    const more = start + limit < this.members.length;
    return Response.json({
      object: 'list',
      data: page.map((id) => ({ object: 'organization.user', id, email: `${id}@example.com`, name: '' })),
      has_more: more,
      next: more ? page.at(-1) : null,
    });
  }

  add(id) {
    if (this.additionsPerMinute !== undefined) {
      const wait = this.budgetRefilledAtMs - this.clockMs;
      if (wait > 0) {
        return this.error(429, 'rate_limit_exceeded', 'Rate limit reached.', { 'retry-after': String(wait / 1000) });
      }
      this.budgetRefilledAtMs = this.clockMs + 60_000 / this.additionsPerMinute;
    }
    if (!this.users.includes(id)) return this.error(404, 'user_not_found', 'No such user.');
    if (!this.members.includes(id)) this.members.push(id);
    return Response.json({ object: 'group.user', user_id: id, group_id: 'group_support' });
  }

  remove(id) {
    if (!this.members.includes(id) && !this.removesTwice) {
      return this.error(404, 'not_a_member', 'The user is not a member.');
    }
    this.members = this.members.filter((member) => member !== id);
    this.removed.push(id);
    return Response.json({ object: 'group.user.deleted', deleted: true });
  }

  error(status, code, message, headers = {}) {
    return Response.json({ error: { message, type: 'invalid_request_error', param: null, code } }, { status, headers });
  }

  additions() {
    return this.requests.filter(({ method }) => method === 'POST').map(({ body }) => body.user_id);
  }

  removals() {
    return this.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path.split('/').at(-1));
  }
}

describe('a team', () => {
  it('is complete after a lost response to an addition', async () => {
    const service = new Service();
    service.loseResponseTo = 'POST';

    await setMembers(service.client, 'group_support', ['user_ada', 'user_bo', 'user_cy']);

    assert.deepEqual(await members(service.client, 'group_support'), ['user_ada', 'user_bo', 'user_cy']);
    assert.deepEqual(service.additions(), ['user_cy', 'user_cy']);
  });

  it('is complete after a lost response to a removal', async () => {
    const service = new Service();
    service.loseResponseTo = 'DELETE';

    await setMembers(service.client, 'group_support', ['user_ada']);

    assert.deepEqual(await members(service.client, 'group_support'), ['user_ada']);
    assert.deepEqual(service.removals(), ['user_bo', 'user_bo']);
  });

  it('is complete after a lost response if the service removes a user twice', async () => {
    const service = new Service();
    service.removesTwice = true;
    service.loseResponseTo = 'DELETE';

    await setMembers(service.client, 'group_support', ['user_ada']);

    assert.deepEqual(await members(service.client, 'group_support'), ['user_ada']);
    assert.deepEqual(service.removed, ['user_bo', 'user_bo']);
  });

  it('waits as long as the rate limit says', async () => {
    const service = new Service();
    service.additionsPerMinute = 1;
    const wanted = ['user_ada', 'user_bo', 'user_cy', 'user_dee'];

    await setMembers(service.client, 'group_support', wanted, async (ms) => {
      service.clockMs += ms;
    });

    assert.deepEqual(await members(service.client, 'group_support'), wanted);
    assert.equal(service.clockMs, 60_000);
  });

  it('adds before it removes, and repeats nothing', async () => {
    const service = new Service();

    await setMembers(service.client, 'group_support', ['user_bo', 'user_cy']);

    const changes = service.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method);
    assert.deepEqual(changes, ['POST', 'DELETE']);
    assert.deepEqual(service.additions(), ['user_cy']);
    assert.deepEqual(service.removals(), ['user_ada']);
  });

  it('is completed by a second run after a failure at any request', async () => {
    const service = new Service();
    const wanted = ['user_cy', 'user_dee'];
    for (let requests = 0; requests < 5; requests += 1) {
      service.members = ['user_ada', 'user_bo'];
      service.requests = [];
      service.failFromRequest = requests;
      await assert.rejects(setMembers(service.client, 'group_support', wanted), InternalServerError);
      service.failFromRequest = Infinity;

      await setMembers(service.client, 'group_support', wanted);
      assert.deepEqual(await members(service.client, 'group_support'), wanted);
    }
  });
});
