// The pages of an emulator.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser, Visit } from './browser.js';
import { full } from './organization.js';
import { Site } from './service.js';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with scripts' : 'without scripts';

  test(`the emulator shows requests, injects faults, steps its clock and restores a snapshot, ${how}`, async (t) => {
    const site = new Site(t, full());
    await site.startEmulator('--clock', '2026-01-01T00:00:00Z');
    const visit = await Visit.start(browser, site, { javaScriptEnabled });
    const { page } = visit;
    const headers = { authorization: 'Bearer sk-admin-test', 'content-type': 'application/json' };
    const list = () => fetch(`${site.address}/v1/organization/groups`, { headers });
    await page.goto('/console/emulator');
    await page.getByText('No requests yet').waitFor();

    assert.equal((await list()).status, 200);
    await page.reload();
    await page.getByRole('row', { name: 'list-groups' }).getByRole('link').click();
    await visit.shows('Request 1');
    await page.getByText('ML Research').waitFor();
    await page.getByRole('link', { name: 'Journal' }).click();

    await page.getByText('Add a fault').click();
    await page.getByLabel('Fault', { exact: true }).selectOption('503');
    await page.getByLabel('Operation').fill('list-groups');
    await page.getByLabel('How often').fill('1');
    await page.getByRole('button', { name: 'Add fault' }).click();
    await page.getByText('0 injected').waitFor();
    assert.equal((await list()).status, 503);
    assert.equal((await list()).status, 200);
    await page.reload();
    await page.getByText('1 injected').waitFor();

    await page.getByText('2026-01-01T00:00').waitFor();
    await page.getByLabel('Advance by').selectOption('86400');
    await page.getByRole('button', { name: 'Advance' }).click();
    await page.getByText('2026-01-02T00:00').waitFor();

    await page.getByLabel('Name', { exact: true }).fill('before');
    await page.getByRole('button', { name: 'Save snapshot' }).click();
    await page.getByRole('button', { name: 'Restore snapshot before' }).waitFor();
    const created = await fetch(`${site.address}/v1/organization/groups`, { method: 'POST', headers, body: '{"name":"Later"}' });
    assert.equal(created.status, 200);
    await page.goto('/console/groups');
    await page.getByRole('link', { name: 'Later' }).waitFor();
    await page.goto('/console/emulator');
    await page.getByRole('button', { name: 'Restore snapshot before' }).click();
    await page.goto('/console/groups');
    await page.getByRole('link', { name: 'Support' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Later' }).count(), 0);
  });
}
