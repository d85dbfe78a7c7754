// A real Chromium, and visits that watch for everything that a page of the console must not do.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const ROOT = path.join(path.dirname(new URL(import.meta.url).pathname), '../..');
const MODULES = process.env.OPENAI_ADMIN_TEST_CONSOLE_NODE ?? path.join(ROOT, 'target/console-node');
export const modules = createRequire(path.join(path.resolve(MODULES), 'package.json'));
const { chromium } = modules('playwright-core');

// A condition that does not hold by then never will, even on a busy machine.
const WAIT_MS_MAX = 60_000;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium with an empty profile. */
export async function startBrowser() {
  const executablePath = process.env.OPENAI_ADMIN_TEST_CHROMIUM ?? '/usr/bin/chromium-headless-shell';
  if (!existsSync(executablePath)) throw new Error(`${executablePath} is missing: run scripts/with-chromium`);
  return await chromium.launch({ executablePath, args: FLAGS, timeout: WAIT_MS_MAX });
}

/** One visitor with new cookies. The test of its site fails if a page did something that it must not do. */
export class Visit {
  /** Statuses of failures that the test expects. */
  expected = [];
  problems = [];

  static async start(browser, site, options = {}) {
    const visit = new Visit();
    visit.site = site;
    visit.address = site.address;
    visit.context = await browser.newContext({
      baseURL: site.address,
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      ...options,
    });
    site.visits.push(visit);
    visit.context.setDefaultTimeout(WAIT_MS_MAX);
    visit.#watch();
    visit.page = await visit.context.newPage();
    return visit;
  }

  #watch() {
    const { context, problems } = this;
    context.on('dialog', async (dialog) => {
      problems.push(`a dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    context.on('weberror', ({ error }) => problems.push(`an error: ${error}`));
    // Violations of the content security policy are messages of the console, too.
    context.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const status = /the server responded with a status of (\d+)/.exec(message.text())?.[1];
      if (status && this.expected.includes(Number(status))) return;
      problems.push(`a message: ${message.text()}`);
    });
    context.on('request', (request) => {
      const url = new URL(request.url());
      const isOwn = url.origin === this.address || url.protocol === 'data:' || url.protocol === 'blob:';
      if (!isOwn) problems.push(`a request to ${url.origin}`);
    });
  }

  /** Signs in with a key. */
  async signIn(key) {
    await this.page.goto('/console');
    await this.page.getByLabel('Admin key').fill(key);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.shows('Overview');
  }

  /** Signs in with the link of `openai-admin console`. */
  async signInByLink(link) {
    await this.page.goto(link);
    await this.page.getByRole('button', { name: 'Continue' }).click();
    await this.shows('Overview');
  }

  /** Allows changes, with the key if the session has one. */
  async unlock(key) {
    await this.page.getByRole('link', { name: 'Unlock', exact: true }).first().click();
    if (key) await this.page.getByLabel('again').fill(key);
    await this.page.getByRole('button', { name: 'Unlock for 15 minutes' }).click();
    await this.page.getByText('Unlocked: you can change things').waitFor();
  }

  /** Waits for the page with this heading. */
  async shows(heading) {
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    // By then, the script of the page listens for keys.
    await this.page.waitForLoadState('domcontentloaded');
  }

  /** Waits for the table or the list with this caption. */
  async lists(caption) {
    await this.page.locator('caption').getByText(caption, { exact: false }).first().waitFor();
  }

  /** The text of the page's content. */
  async text() {
    return (await this.page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
  }

  async end() {
    await this.context.close();
    assert.deepEqual(this.problems, []);
  }
}
