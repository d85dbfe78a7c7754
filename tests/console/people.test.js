// Many people at once, one person's access, search and the log, as an administrator does it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startBrowser, Visit } from './browser.js';
import { address, full, HOSTILE } from './organization.js';
import { Site } from './service.js';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

/** A visit of a full organization that may change things. */
async function unlocked(t, options) {
  const site = new Site(t, full());
  const link = await site.startLocal();
  const visit = await Visit.start(browser, site, options);
  await visit.signInByLink(link);
  await visit.unlock();
  return visit;
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with scripts' : 'without scripts';

  test(`forty pasted people are planned, added and removed again by undo, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    const members = () => visit.site.run('groups', 'users', 'list', 'group_support', '-o', 'json');
    const start = members();
    await page.getByRole('link', { name: 'Groups' }).first().click();
    await page.getByRole('link', { name: 'Support' }).click();
    await visit.shows('Support');
    const pasted = Array.from({ length: 40 }, (_, number) => address(160 + number));
    await page.getByLabel('Email addresses').fill(pasted.join('\n'));
    await page.getByRole('button', { name: 'Preview' }).click();
    await visit.shows('Plan');
    assert.equal(await page.getByText('+ person1').count(), 40);
    assert.equal(members(), start, 'a plan changes nothing');

    await page.getByRole('button', { name: 'Apply 40 changes' }).click();
    await visit.shows(/^Run/);
    await page.getByText('40 of 40 changes in place').waitFor();
    assert.notEqual(members(), start);
    await page.getByRole('button', { name: 'Undo' }).click();
    await visit.shows('Plan');
    // Forty removals are over the limit of a group.
    await page.getByLabel('To allow the blocked removals').fill('40');
    await page.getByRole('button', { name: 'Apply 40 changes' }).click();
    await page.getByText('40 of 40 changes in place').waitFor();
    assert.equal(members(), start);
  });

  test(`search finds a person and a group by the start of a name, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    const field = page.getByRole('searchbox', { name: 'Search people and groups' });
    await field.fill('ada');
    await field.press('Enter');
    await visit.shows('Search');
    await page.getByRole('link', { name: 'Ada Lovelace' }).click();
    await visit.shows('Ada Lovelace');
    await page.goto('/console/groups');
    await page.getByLabel('starts with').fill('supp');
    if (!javaScriptEnabled) await page.getByRole('button', { name: 'Show' }).click();
    await visit.lists(/^1 groups?$/);
    await page.getByRole('link', { name: 'Support' }).waitFor();
    if (javaScriptEnabled) {
      assert.equal(await page.evaluate(() => document.activeElement.id), 'q', 'the field keeps the focus');
    }
    // The URL holds the view: reload, and back from another page.
    assert.match(page.url(), /q=supp/);
    await page.reload();
    await visit.lists(/^1 groups?$/);
    await page.getByRole('link', { name: 'Support' }).click();
    await visit.shows('Support');
    await page.goBack();
    await visit.lists(/^1 groups?$/);
    assert.equal(await page.getByLabel('starts with').inputValue(), 'supp');
  });

  test(`pages of members follow each other and lead back to the first, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    await page.goto('/console/groups/group_research');
    const rows = page.locator('tbody tr');
    assert.equal(await rows.count(), 100);
    const first = await rows.first().innerText();
    await page.getByRole('link', { name: 'Next page' }).click();
    await visit.lists(/^20 members/);
    assert.equal(await rows.count(), 20);
    await page.getByRole('link', { name: 'First page' }).click();
    await visit.lists(/^100 members/);
    assert.equal(await rows.first().innerText(), first);
  });

  test(`the audit log is filtered, and its file holds the same events, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    await page.getByRole('link', { name: 'Audit log' }).first().click();
    await visit.shows('Audit log');
    await page.getByLabel('Type').selectOption('group.created');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/type=group\.created/);
    const events = page.getByRole('region', { name: 'Events' }).getByRole('listitem');
    await events.getByText('added').first().waitFor({ state: 'detached' });
    assert.equal(await events.count(), full().groups.length);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download CSV' }).click();
    const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\n');
    assert.equal(lines.length, 1 + full().groups.length);
    assert(lines.slice(1).every((line) => line.includes('group.created')));
  });

  test(`the page of a person names every path to a permission, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    await page.goto('/console/users/user_3');
    const row = page.getByRole('row', { name: 'api.groups.write' });
    await row.getByText('Group editors of group ML Research').waitFor();
    await row.getByText('Group editors assigned directly').waitFor();
  });

  test(`removals over a limit are applied only with their exact number, ${how}`, async (t) => {
    const visit = await unlocked(t, { javaScriptEnabled });
    const { page } = visit;
    await page.goto('/console/groups/group_support?order=asc');
    const boxes = page.locator('tbody input[type=checkbox]');
    for (let number = 0; number < 30; number += 1) await boxes.nth(number).check();
    if (javaScriptEnabled) await page.getByText('30 selected').waitFor();
    await page.getByRole('button', { name: 'Remove selected' }).click();
    await visit.shows('Plan');
    visit.expected = [422];
    await page.getByLabel('To allow the blocked removals').fill('29');
    await page.getByRole('button', { name: 'Apply' }).click();
    await visit.shows('Check the form');
    await page.goBack();
    await page.getByLabel('To allow the blocked removals').fill('30');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('30 of 30 changes in place').waitFor();
  });
}

test('two clicks on Apply are one run', async (t) => {
  const visit = await unlocked(t);
  const { page } = visit;
  await page.goto('/console/groups/group_support');
  await page.getByLabel('Email addresses').fill(address(200));
  await page.getByRole('button', { name: 'Preview' }).click();
  await visit.shows('Plan');
  await page.getByRole('button', { name: 'Apply' }).dblclick();
  await visit.shows(/^Run/);
  await page.goto('/console/runs');
  assert.equal(await page.locator('tbody tr').count(), 1);
});

test('names are text on every page, under the policy of the console', async (t) => {
  const visit = await unlocked(t);
  const { page } = visit;
  for (const path of ['', '/groups', '/groups/group_hostile', '/users', '/users/user_0', '/projects', '/roles', '/audit', '/search?q=%3Cimg']) {
    await page.goto(`/console${path}`);
    await page.getByText(HOSTILE).first().waitFor();
  }
  await page.goto('/console/users');
  // A search replaces the content by script.
  await page.getByLabel('starts with').fill('<img');
  await visit.lists(/^1 users?$/);
  await page.getByRole('link', { name: HOSTILE }).click();
  await visit.shows(HOSTILE);
});

test('a cold page is small and needs few requests', async (t) => {
  const visit = await unlocked(t);
  const { page } = visit;
  const cold = await Visit.start(browser, visit.site, { storageState: await visit.context.storageState() });
  const sizes = [];
  cold.context.on('response', (answer) => sizes.push(answer.body().then((body) => [answer.url(), body.length])));
  await cold.page.goto('/console/groups/group_research', { waitUntil: 'networkidle' });
  const all = (await Promise.all(sizes)).filter(([url]) => url.startsWith('http'));
  assert(all.length <= 4, `${all}`);
  const bytes = all.reduce((sum, [, size]) => sum + size, 0);
  // Not compressed. The page of a hundred members is most of it.
  assert(bytes < 100_000, `${bytes} bytes: ${all}`);
  const shift = await cold.page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        const add = (entries) => entries.forEach((entry) => (sum += entry.value));
        const observer = new PerformanceObserver((list) => add(list.getEntries()));
        observer.observe({ type: 'layout-shift', buffered: true });
        const end = () => {
          add(observer.takeRecords());
          resolve(sum);
        };
        requestAnimationFrame(() => requestAnimationFrame(end));
      }),
  );
  assert.equal(shift, 0, 'the layout shifts');
  await page.close();
});
