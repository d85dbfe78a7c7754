// Everything by the keyboard alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser, Visit } from './browser.js';
import { address, full } from './organization.js';
import { Site } from './service.js';

const TABS_MAX = 150;

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

/** The focused element: its text or its name. */
const focused = (page) =>
  page.evaluate(() => {
    const one = document.activeElement;
    const labels = [...(one.labels ?? [])].map((label) => label.innerText);
    return one.getAttribute('aria-label') ?? (labels.join(' ') || one.innerText || one.id || one.tagName);
  });

/** Presses Tab until an element with this name has the focus, and fails where the focus cannot be seen. */
async function tabTo(page, name) {
  for (let count = 0; count < TABS_MAX; count += 1) {
    await page.keyboard.press('Tab');
    const { isSeen, what } = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === document.body) return { isSeen: true };
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const { left, top, width, height } = one.getBoundingClientRect();
      const above = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight - top) / 2);
      const isCovered = !above || !(one.contains(above) || above.contains(one));
      return { isSeen: outlineStyle !== 'none' && outlineWidth !== '0px' && !isCovered, what: one.outerHTML.slice(0, 120) };
    });
    assert(isSeen, `the focus cannot be seen: ${what}`);
    if ((await focused(page)).startsWith(name)) return;
  }
  assert.fail(`${TABS_MAX} times Tab does not reach ${name}`);
}

test('people are added to a group and the run is undone by keyboard', async (t) => {
  const site = new Site(t, full());
  const key = await site.startServer();
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  const { keyboard } = page;
  await page.goto('/console');
  await page.locator('#key:focus').waitFor();
  await keyboard.type(key);
  await keyboard.press('Enter');
  await visit.shows('Overview');
  await tabTo(page, 'Skip to the content');
  await keyboard.press('Enter');
  assert.equal(await page.evaluate(() => location.hash), '#main');

  await keyboard.press('g');
  await keyboard.press('g');
  await visit.shows('Groups');
  await tabTo(page, 'Unlock');
  await keyboard.press('Enter');
  await visit.shows('Unlock changes');
  await page.locator('#key:focus').waitFor();
  await keyboard.type(key);
  await keyboard.press('Enter');
  await visit.shows('Groups');

  await page.evaluate(() => document.activeElement.blur());
  await keyboard.press('/');
  await keyboard.type('supp');
  await visit.lists(/^1 groups?$/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'q', 'the field keeps the focus');
  await tabTo(page, 'Support');
  await keyboard.press('Enter');
  await visit.shows('Support');

  // Rows: the second one is selected.
  await keyboard.press('j');
  await keyboard.press('j');
  await keyboard.press('x');
  await page.getByText('1 selected').waitFor();
  assert(await page.locator('tbody tr').nth(1).getByRole('checkbox').isChecked());

  await tabTo(page, 'Remove selected');
  await keyboard.press('Enter');
  await visit.shows('Plan');
  await page.goBack();
  await visit.shows('Support');
  await page.getByLabel('Email addresses').focus();
  await keyboard.type(`${address(200)}\n${address(201)}`);
  await tabTo(page, 'Preview');
  await keyboard.press('Enter');
  await visit.shows('Plan');
  await tabTo(page, 'Apply 2 changes');
  await keyboard.press('Enter');
  await visit.shows(/^Run/);
  await tabTo(page, 'Undo');
  await keyboard.press('Enter');
  await visit.shows('Plan');
  await tabTo(page, 'Apply 2 changes');
  await keyboard.press('Enter');
  await page.getByText('2 of 2 changes in place').waitFor();
});

test('the next and the first page keep the focus in the content', async (t) => {
  const site = new Site(t, full());
  const link = await site.startLocal();
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  await visit.signInByLink(link);
  await page.goto('/console/users');
  await visit.lists('100 users');
  for (const key of ['n', 'p', 'n']) {
    const before = page.url();
    await page.keyboard.press(key);
    await page.waitForFunction((url) => location.href !== url, before);
    await page.waitForFunction(() => document.activeElement.id === 'main');
    await page.getByRole('status').or(page.locator('.status')).getByText('100 users').waitFor({ state: 'attached' });
  }
});

test('keys do nothing in a field, and nothing with a modifier', async (t) => {
  const site = new Site(t, full());
  await site.startEmulator();
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  await page.goto('/console/users');
  await page.getByLabel('starts with').fill('');
  await page.keyboard.type('gg/jx');
  assert.equal(await page.getByLabel('starts with').inputValue(), 'gg/jx');
  // The search of the typed text is the only effect.
  await page.waitForURL(/q=gg/);
  assert.equal(new URL(page.url()).pathname, '/console/users');
  await page.goto('/console/users');
  await visit.lists('100 users');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Control+j');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');
  const pages = [];
  page.on('request', (request) => pages.push(request.url()));
  await page.keyboard.press('Alt+n');
  await page.keyboard.press('n');
  await page.waitForURL(/after=/);
  assert.equal(pages.length, 1, `only the key without a modifier asks for a page: ${pages}`);
});
