import { isBipsyncAuthError } from '../index';
import { startBipsyncEmulator } from '../testing/index';
import { connect, namesTenant } from './environment';
import { probeApi } from './probe';
import { describeToken, failed, formatStep, passed, type Step } from './steps';
import { formatRange, playStory, type Row, type StartEmulator, titles } from './story';
import {
  type ExitStatus,
  type Paint,
  painter,
  progressOn,
  type Terminal,
  toJsonLine,
  wrap,
} from './terminal';

/** demo shows what the plugin does: on an emulator, or with one read where the environment names a tenant. */
export async function demo(
  terminal: Terminal,
  options: { json?: boolean },
  startEmulator: StartEmulator = startBipsyncEmulator,
): Promise<ExitStatus> {
  const { json = false } = options;
  return namesTenant(terminal.env) ? readOnce(terminal, json) : tellStory(terminal, json, startEmulator);
}

const widths = [43, 10, 6, 10, 15, 10] as const;
const WIDTH = 96;

async function tellStory(
  terminal: Terminal,
  json: boolean,
  startEmulator: StartEmulator,
): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const print = (text: string): unknown => !json && stdout.write(text);
  const startedAt = performance.now();
  const rows: Row[] = [];

  print(
    `\n  ${paint('bold', 'axios-bipsync-auth')} against a Bipsync emulator on this machine, over real HTTP\n\n`,
  );
  print(`${heading(paint)}\n`);
  progress.show(titles[0] ?? '');
  for await (const row of playStory(startEmulator)) {
    rows.push(row);
    progress.clear();
    print(formatRow(row, paint));
    const next = titles[rows.length];
    if (next !== undefined) progress.show(next);
  }

  const ok = rows.every((row) => row.ok);
  if (json) stdout.write(toJsonLine({ ok, against: 'emulator', rows }, 2));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = ok
    ? paint('green', `All as promised, in ${seconds} s.`)
    : paint('red', 'Not all as promised: please report this, with the lines above.');
  print(`\n  ${verdict}\n`);
  print(
    "  Next: set your tenant's BIPSYNC_… variables (`npx axios-bipsync-auth --help` lists them), and run\n" +
      '  `npx axios-bipsync-auth check`.\n\n',
  );
  return ok ? 0 : 1;
}

function heading(paint: Paint): string {
  const upper = cells(['', 'token requests', '', 'API', 'calls as', 'slowest'], [44, 16, 0, 10, 13, 10]);
  const lower = cells(['    what happens', 'promised', 'seen', 'requests', 'promised', 'call']);
  return [upper, lower, `  ${'─'.repeat(WIDTH - 2)}`].map((line) => paint('dim', line)).join('\n');
}

function formatRow(row: Row, paint: Paint): string {
  const { title, story, ok, broken } = row;
  const line = cells([
    `    ${title}`,
    formatRange(row.tokenRequestsPromised),
    String(row.tokenRequests),
    String(row.apiRequests),
    `${row.callsAsPromised} of ${row.calls}`,
    `${row.slowestMs} ms`,
  ]);
  const notes = [
    ...wrap(story, WIDTH - 4).map((note) => paint('dim', note)),
    ...broken.flatMap((promise) => wrap(promise, WIDTH - 4)).map((note) => paint('red', note)),
  ];
  const mark = ok ? paint('green', '✓') : paint('red', '✗');
  return `  ${mark}${line.slice(3)}\n${notes.map((note) => `    ${note}\n`).join('')}`;
}

/** The first column is aligned to the left, as text is, the others to the right. */
function cells(texts: readonly string[], to: readonly number[] = widths): string {
  return texts
    .map((text, column) => (column === 0 ? text.padEnd(to[0] ?? 0) : text.padStart(to[column] ?? 0)))
    .join('');
}

/** Gentle with a real tenant: one token, one request that reads. */
async function readOnce(terminal: Terminal, json: boolean): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const { api, auth, home } = connect(env);
  const steps: Step[] = [];
  const report = (step: Step): void => {
    steps.push(step);
    progress.clear();
    if (!json) stdout.write(formatStep(step, paint));
  };

  if (!json) {
    stdout.write(
      `\n  ${paint('bold', 'axios-bipsync-auth')} with ${home.origin}, as the BIPSYNC_… variables say:\n`,
    );
    stdout.write('  one token, and one request that only reads\n\n');
  }
  progress.show('asking for a token');
  const startedAt = performance.now();
  try {
    const { scopes, expiresAt } = await auth.getToken();
    report(passed('token', `${describeToken(startedAt, expiresAt)}: ${scopes.join(' ')}`));
    progress.show('asking the API');
    report((await probeApi(api, scopes)).step);
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    report(failed('token', error.message));
  }

  const ok = steps.every((step) => step.ok);
  if (json) stdout.write(toJsonLine({ ok, against: home.origin, steps }, 2));
  else {
    stdout.write(
      ok
        ? '\n  Next: `installBipsyncAuth(axios.create(), bipsyncAuthConfigFromEnv())` in your own code.\n\n'
        : '\n  Next: `npx axios-bipsync-auth check` finds out what is wrong.\n\n',
    );
  }
  return ok ? 0 : 1;
}
