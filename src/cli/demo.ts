import { isBipsyncAuthError } from '../index';
import { startBipsyncEmulator } from '../testing/index';
import { connect, type Connection, setVariables } from './environment';
import { probeApi } from './probe';
import { describeToken, failed, formatStep, passed, type Step } from './steps';
import { type Scene, story } from './scenes';
import { playStory, type Row, type StartEmulator } from './story';
import {
  COLUMNS,
  type Environment,
  type ExitStatus,
  type Paint,
  painter,
  progressOn,
  type Terminal,
  toJsonLine,
  wrap,
} from './terminal';

/** demo shows what the plugin does: on an emulator, or with one read if the environment names a tenant. */
export async function demo(
  terminal: Terminal,
  options: { json?: boolean },
  startEmulator: StartEmulator = startBipsyncEmulator,
  scenes: readonly Scene[] = story,
): Promise<ExitStatus> {
  const { json = false } = options;
  const names = setVariables(terminal.env);
  return names.length > 0
    ? readOnce(terminal, json, names)
    : tellStory(terminal, json, scenes, startEmulator);
}

async function tellStory(
  terminal: Terminal,
  json: boolean,
  scenes: readonly Scene[],
  startEmulator: StartEmulator,
): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const print = (text: string): unknown => !json && stdout.write(text);
  const startedAt = performance.now();
  const rows: Row[] = [];

  print(
    `\n  The interceptor that many web pages show ("pasted"), compared with\n` +
      `  ${paint('bold', 'axios-bipsync-auth')} ("plugin"). Both send the same requests over real HTTP to\n` +
      '  an emulated Bipsync on this machine.\n\n',
  );
  print(`${paint('dim', line('', 'pasted', 'plugin', 'promised'))}\n`);
  const showNext = (): void => progress.show(scenes[rows.length]?.title ?? '');
  showNext();
  for await (const row of playStory(scenes, startEmulator)) {
    rows.push(row);
    progress.clear();
    print(formatRow(row, paint));
    showNext();
  }
  progress.clear();

  const ok = rows.every((row) => row.ok);
  if (json) stdout.write(toJsonLine({ ok, against: 'emulator', rows }, 2));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = ok
    ? paint('green', `The plugin kept all its promises. This took ${seconds} seconds.`)
    : paint('red', 'The plugin did not keep all its promises. Please report these lines.');
  print(`\n  ${verdict}\n`);
  print(
    "  Next: set your tenant's BIPSYNC_… variables, and run\n  `npx axios-bipsync-auth check`. For a list of the " +
      'variables, run\n  `npx axios-bipsync-auth --help`.\n\n',
  );
  return ok ? 0 : 1;
}

function formatRow({ title, ok, broken, measures }: Row, paint: Paint): string {
  const mark = ok ? paint('green', '✓') : paint('red', '✗');
  const lines = measures.map(({ name, pasted, plugin, promised }) => {
    const counts = [pasted, plugin].map((count) => count.toLocaleString('en'));
    return line(name, ...counts, promised === undefined ? '' : promised === 0 ? '0' : `≤ ${promised}`);
  });
  const notes = broken.flatMap((promise) => wrap(promise, COLUMNS - 6)).map((note) => paint('red', note));
  return `  ${mark} ${title}\n${[...lines, ...notes.map((note) => `      ${note}`)].join('\n')}\n`;
}

/** The first column is aligned to the left, as text is, the others to the right. */
function line(name: string, ...cells: string[]): string {
  return `      ${name.padEnd(37)}${cells.map((cell) => cell.padStart(11)).join('')}`.trimEnd();
}

/** One variable that was left over is enough to send the demo to a tenant. */
function connectTo(env: Environment, names: readonly string[]): Connection {
  try {
    return connect(env);
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    const reason = `The demo uses a tenant, not the emulator, because these variables are set: ${names.join(', ')}.`;
    throw new Error(`${error.message} ${reason} To use the emulator, unset them.`, { cause: error });
  }
}

/** Gentle with a real tenant: one token, one request that reads. */
async function readOnce(terminal: Terminal, json: boolean, names: readonly string[]): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const { api, auth, home } = connectTo(env, names);
  const steps: Step[] = [];
  const report = (step: Step): void => {
    steps.push(step);
    progress.clear();
    if (!json) stdout.write(formatStep(step, paint));
  };

  if (!json) {
    stdout.write(
      `\n  ${paint('bold', 'axios-bipsync-auth')} with ${home.origin}, from the BIPSYNC_… variables:\n` +
        '  one token, and one request that only reads data\n\n',
    );
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
        ? '\n  Next, in your own code:\n  installBipsyncAuth(axios.create(), bipsyncAuthConfigFromEnv());\n\n'
        : '\n  Next: `npx axios-bipsync-auth check`, with the same --env-file.\n\n',
    );
  }
  return ok ? 0 : 1;
}
