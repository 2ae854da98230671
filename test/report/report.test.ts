/** @file report.html in a real browser: it shows the run, in both schemes, and nothing a policy wrote gets out of its place. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { runText } from '../../activities/records/inspect.ts';
import { readRun } from '../../activities/records/readRun.ts';
import { html } from '../../activities/records/report/html.ts';
import { standingText } from '../../activities/records/standing.ts';
import { createWriteReport, refreshReport } from '../../activities/writeReport.ts';
import { asActivity, writeSyntheticRun } from '../records/syntheticRun.ts';
import { temporaryHome } from '../records/temporaryHome.ts';

/** A browser of the machine; `CHROMIUM` names another. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

async function reportOf(options: { readonly steps: number; readonly hostile?: boolean }): Promise<string> {
  const { home, store } = await temporaryHome();
  await writeSyntheticRun(home, store, { run: 'synthetic', ...options });
  await asActivity(createWriteReport({ home }))({ run: 'synthetic' });
  return runPaths(home, 'synthetic').report;
}

test('interpolations are text; control and reordering characters are shown', () => {
  expect(html`<p title="${'"><script>'}">${'a\u202eb\u0000&'}</p>`.markup).toBe('<p title="&quot;&gt;&lt;script&gt;">a\\u202eb␀&amp;</p>');
});

test('a run of which nothing is recorded yet has a report', async () => {
  const { home } = await temporaryHome();
  await asActivity(createWriteReport({ home }))({ run: 'empty' });
  const page = await readFile(runPaths(home, 'empty').report, 'utf8');
  for (const words of ['Not evaluated yet.', 'No training step has been recorded.', 'Nothing has been entered.']) expect(page).toContain(words);
});

test.each([
  ['gated', 'the policy solves 4.0 % of held-out rollouts', /<p class="standing">Stopped at the gate before reinforcement learning: the policy solves 4\.0 %/],
  ['cancelled', 'wrong <data>', /<p class="standing">Cancelled after step 3 of 3: wrong &lt;data&gt;\. `npm run resume -- synthetic` starts it again/],
] as const)('a run that ended as %s says so and why at the top, in the page and in the terminal', async (phase, reason, message) => {
  const { home, store } = await temporaryHome();
  await writeSyntheticRun(home, store, { run: 'synthetic', steps: 3 });
  await asActivity(createWriteReport({ home }))({ run: 'synthetic', ending: { phase, reason } });
  expect(await readFile(runPaths(home, 'synthetic').report, 'utf8')).toMatch(message);
  const records = await readRun(home, 'synthetic');
  expect(records.standing).toEqual({ phase, reason });
  expect(runText(records, []).split('\n')[1]).toContain(reason);
});

test('a run that was interrupted, or about which nobody said anything, says how far it came and how to go on', async () => {
  const { home, store } = await temporaryHome();
  await writeSyntheticRun(home, store, { run: 'synthetic', steps: 3 });
  const records = await readRun(home, 'synthetic');
  const third = records.steps.slice(0, 2);
  expect(standingText(records)).toBeUndefined();
  expect(standingText({ ...records, steps: third })).toMatch(/^Not finished: after step 2 of 3\. .*`npm run resume -- synthetic` goes on\.$/);
  expect(standingText({ ...records, steps: third, standing: { phase: 'waiting-for-operator', reason: 'update: disk full' } })).toMatch(
    /^Waits for an operator after step 2 of 3: update: disk full\./,
  );
  await refreshReport(home, 'synthetic', { phase: 'interrupted' });
  expect(await readFile(runPaths(home, 'synthetic').report, 'utf8')).toContain('<p class="standing">Interrupted after step 3 of 3; nothing is lost.');
  await writeFile(runPaths(home, 'synthetic').status, '{"pha');
  expect((await readRun(home, 'synthetic')).standing).toBeNull();
});

test('the page needs nothing from elsewhere: no script, no address that loads', async () => {
  const page = await readFile(await reportOf({ steps: 3, hostile: true }), 'utf8');
  expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base)\b/i);
  expect(page).not.toMatch(/<[^>]+\s(src|href|on[a-z]+)=/i);
  expect(page).not.toContain('url(');
});

describe.skipIf(!existsSync(executablePath))(`in Chromium (skipped where ${executablePath} is not there)`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  }, 120_000);
  afterAll(() => browser?.close());

  async function open(path: string, colorScheme: 'light' | 'dark' = 'light', width = 1200): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
    page.on('request', (request) => request.url().startsWith('file:') || complaints.push(`request ${request.url()}`));
    await page.goto(`file://${path}`);
    return { page, complaints };
  }

  test('says whether it worked, with intervals, curves, trajectories and the ledger', async () => {
    const { page, complaints } = await open(await reportOf({ steps: 12 }));
    expect(await page.locator('.verdict').innerText()).toBe('It worked: from 47.0 % to 90.0 % of held-out tasks solved (sampled).');
    expect(await page.locator('table').first().innerText()).toContain('+43.0');
    const curves = await page.locator('figcaption b').allInnerTexts();
    expect(curves).toEqual(
      expect.arrayContaining(['Solved share', 'Reward', 'Entropy', 'Clip fraction', 'KL', 'Turns', 'Tokens per second', 'Gate difference']),
    );
    expect(await page.locator('svg[role=img]').first().getAttribute('aria-label')).toMatch(/^Solved share: \d+\.\d % at step 1, \d+\.\d % at step 12$/);
    expect(await page.locator('.trajectory').count()).toBe(4);
    expect(await page.locator('.turn dd.advantage').first().innerText()).toMatch(/^[+−]\d\.\d\d$/);
    expect(await page.locator('body').innerText()).toContain('arXiv 2511.14846');
    expect(await page.locator('body').innerText()).toContain('tokenCosine');
    expect(complaints).toEqual([]);
  }, 120_000);

  test('a value appears under the pointer', async () => {
    const { page } = await open(await reportOf({ steps: 12 }));
    const point = page.locator('svg').first().locator('.point').nth(5);
    const opacity = () => point.locator('.tip').evaluate((tip) => getComputedStyle(tip).opacity);
    expect(await opacity()).toBe('0');
    await point.locator('rect').hover();
    expect(await opacity()).toBe('1');
    expect(await point.locator('text').textContent()).toMatch(/^\d+\.\d % · step 6$/);
  }, 120_000);

  test('hostile text stays text', async () => {
    const { page, complaints } = await open(await reportOf({ steps: 3, hostile: true }));
    expect(await page.evaluate('globalThis.broken')).toBeUndefined();
    expect(await page.locator('.prompt').first().innerText()).toBe(
      '</script><script>globalThis.broken = true</script><img src=x onerror="globalThis.broken=true">',
    );
    expect(await page.locator('pre', { hasText: '"><svg onload=alert(1)>&lt;' }).count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  }, 120_000);

  test.each(['light', 'dark'] as const)(
    '%s: text stands out from its ground, and nothing overflows a phone',
    async (scheme) => {
      const path = await reportOf({ steps: 3 });
      const { page } = await open(path, scheme, 390);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      for (const selector of ['body', '.quiet', '.good', '.bad', '.last', 'pre']) {
        expect({ selector, contrast: await contrastOf(page, selector) }).toEqual({ selector, contrast: expect.toSatisfy((ratio: number) => ratio >= 4.5) });
      }
    },
    60_000,
  );
});

/** WCAG contrast of the first match against the nearest opaque ground behind it. */
function contrastOf(page: Page, selector: string): Promise<number> {
  return page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const canvas = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
      const channels = (colour: string) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data] as [number, number, number, number];
      };
      const luminance = (colour: readonly number[]) => {
        const [r, g, b] = colour.slice(0, 3).map((value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as [
          number,
          number,
          number,
        ];
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let ground = element;
      while (channels(getComputedStyle(ground).backgroundColor)[3] < 255 && ground.parentElement) ground = ground.parentElement;
      const [a, b] = [channels(getComputedStyle(element).color), channels(getComputedStyle(ground).backgroundColor)].map(luminance) as [number, number];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
}
