// Organizations are separate, and messages name the cause.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import OpenAI from 'openai';
import { startEmulator } from 'openai-admin';

import { members, setMembers } from './team.js';

const emulator = await startEmulator({ fixtures: 'organization.yaml', stopAfter: after });

describe('an organization', { concurrency: 8 }, () => {
  for (let number = 0; number < 8; number += 1) {
    it(`is separate (${number})`, async () => {
      const organization = emulator.organization();
      assert.deepEqual(await members(organization.client, 'group_support'), ['user_ada', 'user_bo']);

      await setMembers(organization.client, 'group_support', ['user_cy']);

      await organization.journal.assertCalled('remove-group-user', { times: 2 });
      await organization.close();
    });
  }

  it('can be closed without a request', () => emulator.organization().close());

  it('is reached by clients that read the environment', async () => {
    const { environment } = emulator.organization();
    const client = new OpenAI({ adminAPIKey: environment.OPENAI_ADMIN_KEY, baseURL: environment.OPENAI_BASE_URL });

    assert.deepEqual(await members(client, 'group_support'), ['user_ada', 'user_bo']);
  });

  it('names the nearest request in a failed assertion', async () => {
    const organization = emulator.organization();
    await setMembers(organization.client, 'group_support', ['user_bo']);

    await assert.rejects(
      organization.journal.assertCalled('remove-group-user', { path: { user_id: 'user_cy' } }),
      (error) => error instanceof assert.AssertionError && /path\.user_id is user_ada/.test(error.message),
    );
  });
});
