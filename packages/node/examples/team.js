// The code under test: keeps a group equal to a list of users, in spite of lost connections and rate limits.

import { setTimeout } from 'node:timers/promises';

import { APIConnectionError, NotFoundError, RateLimitError } from 'openai';

const ATTEMPTS_MAX = 3;

export async function members(client, groupId) {
  const ids = [];
  for await (const user of client.admin.organization.groups.users.list(groupId, { limit: 2 })) ids.push(user.id);
  return ids.sort();
}

/** Adds the missing users first, so that the group is never empty. Then removes the others. */
export async function setMembers(client, groupId, wanted, wait = setTimeout) {
  const { users } = client.admin.organization.groups;
  const present = await members(client, groupId);
  for (const user_id of wanted.filter((id) => !present.includes(id))) {
    await repeat(() => users.create(groupId, { user_id }), wait);
  }
  for (const id of present.filter((id) => !wanted.includes(id))) {
    await repeat(() => users.delete(id, { group_id: groupId }), wait);
  }
}

async function repeat(request, wait) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      // An earlier attempt removed the user.
      if (attempt > 1 && error instanceof NotFoundError && error.code === 'not_a_member') return undefined;
      if (attempt === ATTEMPTS_MAX) throw error;
      if (error instanceof RateLimitError) await wait(1000 * Number(error.headers.get('retry-after')));
      else if (!(error instanceof APIConnectionError)) throw error;
    }
  }
}
