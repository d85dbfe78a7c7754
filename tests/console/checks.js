// The rules of every page, checked in the browser.

import { readFileSync } from 'node:fs';

import { modules } from './browser.js';

const AXE = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const NARROW = { width: 320, height: 640 };
const USUAL = { width: 1280, height: 800 };
const WIDE = { width: 2560, height: 1440 };

/** A visit in which axe may build its functions from text, which the policy of the console forbids. */
export const FOR_AXE = { bypassCSP: true };

/** Violations of WCAG 2.2 AA, each as rule, element and reason. */
async function violations(page, options) {
  const hasAxe = await page.evaluate(() => 'axe' in window);
  if (!hasAxe) await page.evaluate(AXE);
  const found = await page.evaluate((options) => axe.run(document, { ...options, resultTypes: ['violations'] }), options);
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary.replaceAll(/\s+/g, ' ').slice(0, 200)}`),
  );
}

/** What axe finds in the page: light and dark, and as cards on a narrow screen. */
export async function inaccessible(page) {
  const rules = { runOnly: { type: 'tag', values: TAGS } };
  // The scheme changes nothing but colors.
  const colors = { runOnly: { type: 'rule', values: ['color-contrast'] } };
  const found = [];
  const check = async (view, options) => {
    for (const violation of await violations(page, options)) found.push(`${view}: ${violation}`);
  };
  await check('light', rules);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await check('dark', colors);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(NARROW);
  await check('narrow', rules);
  await page.setViewportSize(USUAL);
  return found;
}

/** The elements that make the page scroll sideways on a narrow or a wide screen. */
export async function tooWide(page) {
  const found = [];
  for (const size of [NARROW, WIDE]) {
    await page.setViewportSize(size);
    for (const element of await wideElements(page)) found.push(`${size.width} px: ${element}`);
  }
  await page.setViewportSize(USUAL);
  return found;
}

/** The elements that make the page scroll sideways. */
export async function wideElements(page) {
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
