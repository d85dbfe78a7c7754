// Every page: empty, full and failed; signed out, read-only and unlocked; of a database and of an emulator.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startBrowser, Visit } from './browser.js';
import { brokenViews, madeByNames, startWithAxe } from './checks.js';
import { address, full } from './organization.js';
import { Site } from './service.js';

const ROUTES = new URL('../../crates/openai-admin-console/src/console.rs', import.meta.url);

const LISTS = ['', '/groups', '/users', '/projects', '/roles', '/invites', '/keys', '/audit', '/usage', '/runs', '/search', '/unlock', '/plans/new'];
const FULL = [
  '/groups?q=ml',
  '/groups?q=nothing',
  '/groups/group_research',
  '/groups/group_hostile',
  '/groups/group_scim',
  '/groups/group_empty',
  '/groups/group_01234567890123456789012345678901234567890123456789',
  '/groups/group_hostile/delete',
  '/groups/group_hostile/roles',
  '/groups/group_empty/roles',
  '/users?q=ada',
  '/users/user_0',
  '/users/user_1',
  '/users/user_3',
  '/users/user_200',
  '/projects/proj_hostile',
  '/roles/role_editors',
  '/roles/role_hostile',
  '/audit?type=group.created',
  '/audit?type=group.deleted',
  '/search?q=ada',
  '/search?q=nothing',
];
const FAILED = [
  ['/groups/group_none', 404],
  ['/nothing', 404],
  ['/plans/none', 404],
  ['/audit?from=soon', 422],
];

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

const shown = new Set();

async function check(visit, path, ...expected) {
  visit.expected = expected;
  const answer = await visit.page.goto(`/console${path}`);
  assert.equal(answer.status(), expected[0] ?? 200, `${path}: ${await visit.text()}`);
  await checkShown(visit, answer.ok());
  await checkPolicy(visit, path, expected);
}

/** Opens the page once more with its content security policy, which axe needs to be off. */
async function checkPolicy(visit, path, expected) {
  visit.strict ??= await Visit.start(browser, visit.site);
  visit.strict.expected = expected;
  await visit.strict.context.addCookies(await visit.context.cookies());
  const answer = await visit.strict.page.goto(`/console${path}`);
  assert.equal(answer.status(), expected[0] ?? 200, path);
}

/** Checks the page that the visit shows. All pages are checked before the test fails. */
async function checkShown({ page, problems }, isPage = true) {
  const { pathname, search } = new URL(page.url());
  if (isPage) shown.add(pathname);
  for (const find of [madeByNames, brokenViews]) {
    for (const found of await find(page)) problems.push(`${pathname}${search}: ${find.name}: ${found}`);
  }
}

test('the pages of an empty organization follow the rules', async (t) => {
  const site = new Site(t);
  const link = await site.startLocal();
  const visit = await startWithAxe(browser, site);
  await visit.page.goto('/console/sign-in');
  await checkShown(visit);
  await visit.page.goto(link);
  await checkShown(visit);
  await visit.signInByLink(link);
  for (const path of LISTS) await check(visit, path);
});

test('the pages of a full organization follow the rules', async (t) => {
  const site = new Site(t, full());
  const key = await site.startServer();
  const narrowKey = site.createKey('narrow', 'api.groups.read');
  site.createKey(full().users[0].name);
  const visit = await startWithAxe(browser, site);
  const { page } = visit;
  await page.goto('/console');
  await page.getByLabel('Admin key').fill('sk-admin-wrong');
  visit.expected = [401];
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await checkShown(visit);
  await visit.signIn(key);
  for (const path of ['', '/groups', '/groups/group_research', '/users/user_3', '/keys', '/groups/group_hostile/delete']) {
    await check(visit, path);
  }
  await visit.unlock(key);
  await page.goto('/console/invites');
  await page.getByLabel('Email').fill('guest@example.com');
  await page.getByRole('button', { name: 'Send invite' }).click();
  await page.getByText('guest@example.com').waitFor();
  for (const path of [...LISTS, ...FULL]) await check(visit, path);

  const keys = await page.goto('/console/keys').then(() => page.getByRole('link', { name: 'Revoke' }));
  await keys.first().click();
  await visit.shows(/^Revoke/);
  await checkShown(visit);
  await page.goto('/console/keys');
  await page.getByLabel('Name').fill('<i>new</i>');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('The new key').waitFor();
  await checkShown(visit);

  await page.goto('/console/groups/group_hostile');
  await page.getByLabel('Email addresses').fill([address(0), address(7), 'unknown@example.com'].join('\n'));
  await page.getByRole('button', { name: 'Preview' }).click();
  await visit.shows('Plan');
  await checkShown(visit);
  await page.getByRole('button', { name: 'Apply' }).click();
  await visit.shows(/^Run/);
  await checkShown(visit);
  await check(visit, '/runs');
  for (const [path, status] of FAILED) await check(visit, path, status);

  const narrow = await startWithAxe(browser, site);
  await narrow.page.goto('/console/sign-in');
  await narrow.signIn(narrowKey);
  await check(narrow, '');
  await check(narrow, '/users', 403);
});

test('the pages of an emulator follow the rules', async (t) => {
  const site = new Site(t, full());
  await site.startEmulator('--usage', 'demo', '--rule', 'already_in_project=off');
  const visit = await startWithAxe(browser, site);
  const { page } = visit;
  for (const path of ['', '/usage', '/users/user_0', '/groups/group_hostile', '/emulator']) await check(visit, path);

  const body = JSON.stringify({ user_id: 'user_0' });
  const headers = { authorization: 'Bearer sk-admin-test', 'content-type': 'application/json' };
  await fetch(`${site.address}/v1/organization/groups/group_hostile/users`, { method: 'POST', headers, body });
  await fetch(`${site.address}/v1/organization/groups/%3Cimg%20src=x%3E`, { headers });
  await page.goto('/console/emulator');
  await page.getByText('Add a fault').click();
  await page.getByRole('button', { name: 'Add fault' }).click();
  await page.getByLabel('Name', { exact: true }).fill('before');
  await page.getByRole('button', { name: 'Save snapshot' }).click();
  await page.getByRole('button', { name: 'Restore snapshot before' }).waitFor();
  await checkShown(visit);
  await page.getByRole('cell').getByRole('link').first().click();
  await visit.shows(/^Request/);
  await checkShown(visit);
});

test('the checks find planted faults', async (t) => {
  const site = new Site(t);
  await site.startEmulator();
  const visit = await startWithAxe(browser, site);
  const { page } = visit;
  await page.goto('/console');
  await page.evaluate(() => {
    const planted = document.createElement('div');
    planted.innerHTML = '<img src="data:,"><p class="pale">pale in the dark</p><p class="wide">wide</p>';
    const style = document.createElement('style');
    style.append('.pale { color: light-dark(#000, #222) } .wide { width: 3000px; max-width: none }');
    document.querySelector('main').append(planted, style);
  });
  assert.equal((await madeByNames(page)).length, 1);
  const found = await brokenViews(page);
  for (const planted of ['light: image-alt', 'narrow: image-alt', 'dark: color-contrast', '320 px: ', '2560 px: ']) {
    assert(found.some((one) => one.startsWith(planted)), `${planted} is not among ${found}`);
  }
});

test('the tests above have shown every page of the console', () => {
  const source = readFileSync(ROUTES, 'utf8');
  const routes = [...source.matchAll(/\.route\(\s*"([^"]+)",\s*get\((?!assets|\|\||page_above|new_plan|unknown)/g)].map(([, path]) => path);
  assert(routes.length > 20, `${routes.length} routes`);
  const literal = new Set(routes.filter((route) => !route.includes('{')));
  const isShown = (route) => {
    if (literal.has(route)) return shown.has(route);
    const pattern = new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
    return [...shown].some((path) => !literal.has(path) && pattern.test(path));
  };
  // A file, not a page.
  const missing = routes.filter((route) => route !== '/console/audit.csv' && !isShown(route));
  assert.deepEqual(missing, [], 'add these pages to the tests above');
});
