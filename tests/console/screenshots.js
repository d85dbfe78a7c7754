// Writes the pictures of docs/console.md: five pages of examples/acme, light and dark. scripts/screenshots runs it.

import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { startBrowser, Visit } from './browser.js';
import { ACME, Site } from './service.js';

const FOLDER = process.argv[2];
if (!FOLDER) throw new Error('usage: screenshots.js FOLDER');
const PNG_BYTES_MAX = 150 * 1024;
// A short page is cut below its content, but not within the navigation.
const HEIGHT_MIN = 470;
const MARGIN = 32;
const SIZE = { width: 1200, height: 750 };

mkdirSync(FOLDER, { recursive: true });
const ends = [];
const t = { after: (end) => ends.push(end) };
const browser = await startBrowser();

/** A picture of the page in both schemes. */
async function shoot(page, name) {
  await page.evaluate(() => document.activeElement.blur());
  const end = () => document.querySelector('main').lastElementChild.getBoundingClientRect().bottom + scrollY;
  const height = Math.max(HEIGHT_MIN, Math.ceil(await page.evaluate(end)) + MARGIN);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const file = path.join(FOLDER, `console-${name}-${colorScheme}.png`);
    await page.screenshot({ path: file, clip: { x: 0, y: 0, width: SIZE.width, height: Math.min(SIZE.height, height) } });
    const { size } = statSync(file);
    if (size > PNG_BYTES_MAX) throw new Error(`${file}: ${size} bytes, at most ${PNG_BYTES_MAX}`);
    console.log(`${file}: ${size} bytes`);
  }
}

try {
  const site = new Site(t, ACME);
  const link = await site.startLocal();
  const permissions = ['--permission', 'api.groups.read', '--permission', 'api.groups.write'];
  const role = JSON.parse(site.run('roles', 'create', '--role-name', 'Group editors', ...permissions, '-o', 'json'));
  site.run('groups', 'roles', 'assign', 'On call 🚨', '--role-id', role.id);
  const visit = await Visit.start(browser, site, { viewport: SIZE });
  const { page } = visit;
  await visit.signInByLink(link);
  await visit.unlock();

  await page.goto('/console/groups/group_research');
  await page.getByLabel('Email addresses').fill('bjorn@example.com\nchidi@example.com\njonas@example.com');
  await shoot(page, 'group');
  await page.getByRole('button', { name: 'Preview' }).click();
  await visit.shows('Plan');
  await shoot(page, 'plan');
  await page.getByRole('button', { name: 'Apply' }).click();
  await visit.shows(/^Run/);
  await page.goto('/console/users/user_chidi');
  await page.getByText('api.groups.write').scrollIntoViewIfNeeded();
  await shoot(page, 'access');
  await page.goto('/console');
  await shoot(page, 'overview');

  const emulated = new Site(t, ACME);
  await emulated.startEmulator('--usage', 'demo');
  const costs = await Visit.start(browser, emulated, { viewport: SIZE });
  await costs.page.goto('/console/usage');
  await shoot(costs.page, 'usage');
} finally {
  for (const end of ends) await end();
  await browser.close();
}
