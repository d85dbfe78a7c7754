// Who may look and who may change, in a real browser.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { startBrowser, Visit } from './browser.js';
import { FOR_AXE } from './checks.js';
import { Site } from './service.js';

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser?.close());

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with scripts' : 'without scripts';

  test(`a wrong key is refused, and a right one opens a session until sign-out, ${how}`, async (t) => {
    const site = new Site(t);
    const key = await site.startServer();
    const visit = await Visit.start(browser, site, { javaScriptEnabled });
    const { page } = visit;
    visit.expected = [401];
    await page.goto('/console/groups?q=x');
    await page.getByLabel('Admin key').fill('sk-admin-wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Admin key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await visit.shows('Groups');
    assert.equal(page.url(), `${site.address}/console/groups?q=x`);
    assert(!(await page.content()).includes(key), 'the page shows the key');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await visit.shows('Sign in');
    await page.goBack();
    await visit.shows('Sign in');
  });

  test(`a session is read-only until it is unlocked, and after it is locked, ${how}`, async (t) => {
    const site = new Site(t);
    const key = await site.startServer();
    const visit = await Visit.start(browser, site, { javaScriptEnabled });
    const { page } = visit;
    await visit.signIn(key);
    await page.goto('/console/groups');
    await page.getByText('This session is read-only').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).count(), 0);

    await visit.unlock(key);
    await visit.shows('Groups');
    await page.getByLabel('Name', { exact: true }).fill('New group');
    await page.getByRole('button', { name: 'Create group' }).click();
    await visit.shows('New group');

    await page.getByRole('button', { name: 'Lock' }).click();
    await page.getByText('Locked: this session is read-only').waitFor();
    assert.equal(await page.getByLabel('Email addresses').count(), 0);
  });
}

test('a sign-in link works once', async (t) => {
  const site = new Site(t);
  const link = await site.startLocal();
  const first = await Visit.start(browser, site);
  await first.signInByLink(link);
  const second = await Visit.start(browser, site);
  second.expected = [403];
  await second.page.goto(link);
  await second.page.getByRole('button', { name: 'Continue' }).click();
  await second.page.getByText('The link was used or has expired').waitFor();
});

test('a revoked key ends its session, and a new key leads back to the same view', async (t) => {
  const site = new Site(t);
  const key = await site.startServer();
  const other = JSON.parse(site.run('keys', 'create', '--name', 'other', '-o', 'json'));
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  await visit.signIn(other.key);
  await page.goto('/console/users?q=ada');
  site.run('keys', 'revoke', other.id, '--yes');
  await page.getByRole('link', { name: 'Groups' }).click();
  await visit.shows('Sign in');
  await page.getByLabel('Admin key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await visit.shows('Groups');
});

test('a form of another site changes nothing, and its frame stays empty', async (t) => {
  const site = new Site(t);
  const key = await site.startServer();
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  await visit.signIn(key);
  await visit.unlock(key);
  const hostile = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end(`<h1>Hostile</h1><iframe src="${site.address}/console/groups"></iframe>
      <a href="${site.address}/console/groups">A link</a>
      <form method="post" action="${site.address}/console/groups"><input name="name" value="stolen"><button>Send</button></form>`);
  });
  hostile.listen(0, '127.0.0.1');
  await once(hostile, 'listening');
  t.after(() => hostile.close());
  // Another address of the loopback, so that it is another site.
  const address = `http://localhost:${hostile.address().port}/`;

  const framed = page.waitForEvent('requestfailed', (request) => request.frame() !== page.mainFrame());
  await page.goto(address);
  await framed;
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('this form was not sent by a page of the console').waitFor();
  await page.goto(address);
  await page.getByRole('link', { name: 'A link' }).click();
  await page.getByRole('link', { name: 'Continue' }).click();
  await visit.shows('Groups');
  assert(!(await visit.text()).includes('stolen'));

  const refused = (problem) => /localhost|frame-ancestors|status of 403|favicon/.test(problem);
  assert(visit.problems.some((problem) => problem.includes('frame-ancestors')), 'the policy blocks the frame');
  visit.problems = visit.problems.filter((problem) => !refused(problem));
});

test('a visit reports a script, a dialog and a request to another host', async (t) => {
  const site = new Site(t);
  await site.startEmulator();
  const visit = await Visit.start(browser, site);
  const { page } = visit;
  await page.goto('/console');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.append('1');
    document.body.append(script);
    alert('a dialog');
    new Image().src = 'http://127.0.0.2:9/';
  });
  await page.goto('/console');
  const text = visit.problems.join('\n');
  assert.match(text, /TrustedScript/);
  assert.match(text, /a dialog/);
  assert.match(text, /img-src/);
  visit.problems = [];

  // Where the policy does not block it, the visit sees the request.
  const open = await Visit.start(browser, site, FOR_AXE);
  await open.page.goto('/console');
  const asked = open.page.waitForEvent('request', (request) => request.url().startsWith('http://127.0.0.2'));
  await open.page.evaluate(() => (new Image().src = 'http://127.0.0.2:9/'));
  await asked;
  assert.match(open.problems.join('\n'), /a request to http:\/\/127\.0\.0\.2:9/);
  open.problems = [];
});
