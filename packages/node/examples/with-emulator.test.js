// Tests with the emulator. with-mocks.test.js has the same tests with hand-written mocks.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { InternalServerError } from 'openai';
import { startEmulator } from 'openai-admin';

import { members, setMembers } from './team.js';

const emulator = await startEmulator({ fixtures: 'organization.yaml', stopAfter: after });

describe('a team', { concurrency: 8 }, () => {
  it('is complete after a lost response to an addition', async () => {
    const organization = emulator.organization();
    await organization.faults.add('reset', { operation: 'add-group-user', count: 1, when: 'after' });

    await setMembers(organization.client, 'group_support', ['user_ada', 'user_bo', 'user_cy']);

    assert.deepEqual(await members(organization.client, 'group_support'), ['user_ada', 'user_bo', 'user_cy']);
    await organization.journal.assertCalled('add-group-user', { times: 2, body: { user_id: 'user_cy' } });
  });

  it('is complete after a lost response to a removal', async () => {
    const organization = emulator.organization();
    await organization.faults.add('reset', { operation: 'remove-group-user', count: 1, when: 'after' });

    await setMembers(organization.client, 'group_support', ['user_ada']);

    assert.deepEqual(await members(organization.client, 'group_support'), ['user_ada']);
    await organization.journal.assertCalled('remove-group-user', { times: 2, path: { user_id: 'user_bo' } });
  });

  it('is complete after a lost response if the service removes a user twice', async () => {
    const organization = emulator.organization();
    await organization.rules.off('not_a_member');
    await organization.faults.add('reset', { operation: 'remove-group-user', count: 1, when: 'after' });

    await setMembers(organization.client, 'group_support', ['user_ada']);

    assert.deepEqual(await members(organization.client, 'group_support'), ['user_ada']);
    await organization.journal.assertCalled('remove-group-user', { times: 1, status: 200 });
  });

  it('waits as long as the rate limit says', async () => {
    const organization = emulator.organization();
    const start = new Date('2030-01-01T00:00:00Z');
    await organization.clock.set(start);
    await organization.faults.add('budget', { operation: 'add-group-user', requests_per_minute: 1 });
    const wanted = ['user_ada', 'user_bo', 'user_cy', 'user_dee'];

    await setMembers(organization.client, 'group_support', wanted, (ms) => organization.clock.step(ms));

    assert.deepEqual(await members(organization.client, 'group_support'), wanted);
    assert.equal((await organization.clock.now()) - start, 60_000);
  });

  it('adds before it removes, and repeats nothing', async () => {
    const organization = emulator.organization();

    await setMembers(organization.client, 'group_support', ['user_bo', 'user_cy']);

    await organization.journal.assertInOrder(
      { operation: 'add-group-user', body: { user_id: 'user_cy' } },
      { operation: 'remove-group-user', path: { user_id: 'user_ada' } },
    );
    await organization.journal.assertCalled('add-group-user', { times: 1 });
    await organization.journal.assertCalled('remove-group-user', { times: 1 });
  });

  it('is completed by a second run after a failure at any request', async () => {
    const organization = emulator.organization();
    const snapshot = await organization.snapshot();
    const wanted = ['user_cy', 'user_dee'];
    for (let skip = 0; skip < 5; skip += 1) {
      await organization.faults.replace([{ skip, fault: { kind: 'status', status: 500 } }]);
      await assert.rejects(setMembers(organization.client, 'group_support', wanted), InternalServerError);
      await organization.faults.clear();

      await setMembers(organization.client, 'group_support', wanted);
      assert.deepEqual(await members(organization.client, 'group_support'), wanted);
      await snapshot.restore();
    }
  });
});
