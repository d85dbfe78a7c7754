// Tests that change the same groups at the same time, and never see each other: node --test

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import OpenAI from 'openai';

import { Emulator } from './emulator.js';

const FIXTURES = process.env.FIXTURES ?? fileURLToPath(new URL('../../acme/organization.yaml', import.meta.url));
const SUPPORT = ['user_chidi', 'user_dana', 'user_emre', 'user_farah', 'user_grace', 'user_liam'];

async function members(organization, group) {
  const ids = [];
  for await (const user of organization.groups.users.list(group, { limit: 2 })) ids.push(user.id);
  return ids.sort();
}

describe('memberships', { concurrency: 8 }, () => {
  let emulator;
  before(async () => {
    emulator = await Emulator.start(FIXTURES);
  });
  after(() => emulator.stop());

  for (let number = 0; number < 25; number += 1) {
    it(`members come and go (${number})`, async () => {
      const organization = emulator.organization();
      const leaves = SUPPORT[number % SUPPORT.length];
      assert.deepEqual(await members(organization, 'group_support'), SUPPORT);

      await organization.groups.users.create('group_support', { user_id: 'user_ada' });
      await organization.groups.users.delete(leaves, { group_id: 'group_support' });

      const left = SUPPORT.filter((id) => id !== leaves);
      assert.deepEqual(await members(organization, 'group_support'), ['user_ada', ...left]);
      await organization.verify('add-group-user', { group_id: 'group_support' }, 1);
    });
  }

  it('removing a user who is not a member fails', async () => {
    const organization = emulator.organization();
    await assert.rejects(
      organization.groups.users.delete('user_ada', { group_id: 'group_support' }),
      (error) => error instanceof OpenAI.NotFoundError && error.code === 'not_a_member',
    );
  });

  it('a reset brings the fixtures back', async () => {
    const organization = emulator.organization();
    await organization.groups.delete('group_support');
    await organization.control('POST', '/reset');
    assert.deepEqual(await members(organization, 'group_support'), SUPPORT);
  });
});
