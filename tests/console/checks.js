// The rules of every page, checked in the browser.

import { readFileSync } from 'node:fs';

import { modules, Visit } from './browser.js';

const AXE = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Rows of a table or a list that axe checks, at its start and at its end. */
const ROWS_AT_EACH_END = 8;
const NARROW = { width: 320, height: 640 };
const USUAL = { width: 1280, height: 800 };
const WIDE = { width: 2560, height: 1440 };

/** A visit in which axe may build its functions from text, which the policy of the console forbids. */
export const FOR_AXE = { bypassCSP: true };

/** A visit whose pages have axe from the start: sending it to each page would take longer than its checks. */
export async function startWithAxe(browser, site) {
  const visit = await Visit.start(browser, site, FOR_AXE);
  await visit.context.addInitScript({ content: AXE });
  return visit;
}

/** Violations of WCAG 2.2 AA, each as rule, element and reason. */
async function violations(page, options) {
  // The other results stay in the page.
  const find = async (options) => (await axe.run(document, { ...options, resultTypes: ['violations'] })).violations;
  const found = await page.evaluate(find, options);
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary.replaceAll(/\s+/g, ' ').slice(0, 200)}`),
  );
}

/** Leaves the first and the last rows of long tables and lists: rows are alike, and axe takes a while for each. */
async function shorten(page) {
  await page.evaluate((shown) => {
    for (const rows of document.querySelectorAll('tbody, main ul, main ol')) {
      [...rows.children].slice(shown, -shown).forEach((row) => row.remove());
    }
  }, ROWS_AT_EACH_END);
}

/**
 * What axe finds in the page, light and dark and as cards on a narrow screen, and the elements that make it scroll
 * sideways on a narrow or a wide screen. Removes rows from the page.
 */
export async function brokenViews(page) {
  const rules = { runOnly: { type: 'tag', values: TAGS } };
  // The scheme changes nothing but colors.
  const colors = { runOnly: { type: 'rule', values: ['color-contrast'] } };
  const found = [];
  const check = async (view, options) => {
    for (const violation of await violations(page, options)) found.push(`${view}: ${violation}`);
  };
  // Each change of the size takes longer than a check, so each size is set once.
  const resize = async (size) => {
    await page.setViewportSize(size);
    for (const element of await wideElements(page)) found.push(`${size.width} px: ${element}`);
  };
  await resize(WIDE);
  await resize(NARROW);
  await shorten(page);
  await check('narrow', rules);
  await page.setViewportSize(USUAL);
  await check('light', rules);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await check('dark', colors);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  return found;
}

/** The elements that make the page scroll sideways. */
async function wideElements(page) {
  return await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const elements = [...document.querySelectorAll('body *')];
    const wide = elements.filter((one) => one.getBoundingClientRect().right > clientWidth + 0.5);
    return [`the page is ${scrollWidth} px wide`, ...wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 160))];
  });
}

/** The elements that a name made. No template has such an element. */
export async function madeByNames(page) {
  return await page.evaluate(() => [...document.querySelectorAll('body img, body script, body i')].map((one) => one.outerHTML));
}
