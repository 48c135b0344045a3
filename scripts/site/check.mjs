/**
 * The built site (`npm run docs`), as its readers meet it: every internal link and anchor leads somewhere, and the start
 * page, a guide and an API page render in a browser, light and dark, with their pictures and without a console error.
 *
 *   node scripts/site/check.mjs [folder for screenshots]
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { LinkChecker } from 'linkinator';
import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};
const BROWSERS = ['chromium', 'google-chrome', 'chromium-browser'];

const root = fileURLToPath(new URL('../../site', import.meta.url));
const screenshots = process.argv[2];
let passed = 0;
let failed = 0;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const file = join(root, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
  const isThere = existsSync(file) && extname(file) in TYPES;
  response.writeHead(isThere ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' });
  response.end(isThere ? readFileSync(file) : '');
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const home = `http://127.0.0.1:${server.address().port}/`;
const pages = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith('.html'))
  .sort();

try {
  await check(`the links and anchors of ${pages.length} pages`, checkLinks);
  const guide = pages.find((name) => name.startsWith('guides/'));
  const browser = await openBrowser();
  try {
    for (const page of new Set([
      'index.html',
      guide,
      'functions/index.installBipsyncAuth.html',
      ...withDiagrams(),
    ])) {
      for (const colorScheme of ['light', 'dark']) {
        await check(`${page}, ${colorScheme}`, () => look(browser, page, colorScheme));
      }
    }
  } finally {
    await browser.close();
  }
} finally {
  server.close();
  server.closeAllConnections();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Page by page, since the link checker sees an anchor only if it meets the link before the page that has it. */
async function checkLinks() {
  const broken = [];
  for (const page of pages) {
    const { links } = await new LinkChecker().check({
      path: home + page,
      linksToSkip: async (link) => !link.startsWith(home),
      checkFragments: true,
    });
    broken.push(...links.filter(({ state }) => state === 'BROKEN').map(({ url }) => `${page} → ${url}`));
  }
  if (broken.length > 0) throw new Error(broken.join('\n').replaceAll(home, ''));
}

function withDiagrams() {
  return pages.filter((name) => readFileSync(join(root, name), 'utf8').includes('class="mermaid"'));
}

async function openBrowser() {
  const path = process.env.CHROMIUM ?? BROWSERS.map(installed).find((found) => found !== undefined);
  if (path === undefined)
    throw new Error(`No browser. Install one of ${BROWSERS.join(', ')}, or set CHROMIUM`);
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat(
      ['background-networking', 'component-update', 'sync'].map((name) => `--disable-${name}`),
    ),
  });
}

function installed(name) {
  return process.env.PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

async function look(browser, name, colorScheme) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`not loaded: ${request.url()}`));
  page.on('request', (request) => {
    if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(home))
      complaints.push(`asks for ${request.url()}`);
  });
  try {
    await page.goto(home + name, { waitUntil: 'networkidle' });
    const seen = await page.evaluate(async () => {
      const images = [...document.images];
      await Promise.all(images.map((image) => image.decode().catch(() => undefined)));
      return {
        heading: document.querySelector('h1')?.getBoundingClientRect().height ?? 0,
        text: document.querySelector('.col-content').innerText.length,
        pictures: images.filter(({ naturalWidth }) => naturalWidth === 0).map(({ src }) => src),
        diagrams: document.querySelectorAll('code.mermaid, figure.mermaid:not(:has(svg))').length,
        background: getComputedStyle(document.body).backgroundColor,
      };
    });
    if (screenshots) {
      const file = `${name.replaceAll('/', '-')}-${colorScheme}.png`;
      await page.screenshot({ path: resolve(screenshots, file), fullPage: true });
    }
    if (seen.heading === 0 || seen.text < 200) complaints.push('the page is empty');
    if (seen.pictures.length > 0) complaints.push(`pictures that do not show: ${seen.pictures.join(', ')}`);
    if (seen.diagrams > 0) complaints.push(`${seen.diagrams} diagrams are not drawn`);
    const [red] = seen.background.match(/\d+/).map(Number);
    if (colorScheme === 'dark' ? red > 100 : red < 150)
      complaints.push(`its background is ${seen.background}`);
  } finally {
    await page.close();
  }
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
}

async function check(name, run) {
  try {
    await run();
    passed += 1;
    console.log(`ok     ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}\n${error.message}`);
  }
}
