import { spawnedCommand } from '../cli/spawned';
import { diagnose, type Diagnosis, readDiagnosis } from '../cli/support';
import { configurationProblems, type Entry, troubleshootingEntries } from './headings';
import { partiesIn } from './parties';
import { type Report, reportOf, type Row, type Situation } from './row';
import { apiRows } from './rows/api';
import { configurationRows } from './rows/configuration';
import { endpointRows } from './rows/endpoint';
import { networkRows } from './rows/network';
import { storeRows } from './rows/stores';
import { surroundingsRows } from './rows/surroundings';
import { skipPauses } from '../support/pauses';
import { describeWithRedis, redisAvailable } from '../support/redis-server';
import { startWorld, type World } from './world';

// The space of faults: what can go wrong between a configuration and an answer of the API. Each row brings one fault about,
// for real, and says which code the application gets, which party the message blames, and what it names as the next step.

const rows: Row[] = [...configurationRows, ...networkRows, ...endpointRows, ...apiRows, ...surroundingsRows];

const command = spawnedCommand();
const proxyVariables = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];
let world: World;
/** What the rows' users were told. */
const told: string[] = [];

skipPauses();

beforeEach(async () => {
  for (const name of proxyVariables.flatMap((variable) => [variable, variable.toUpperCase()])) {
    Reflect.deleteProperty(process.env, name);
  }
  world = await startWorld();
});

afterEach(() => world.end());

test.each(rows)('$title', walk);

describeWithRedis('With a Redis between the processes:', () => {
  test.each(storeRows)('$title', walk);
});

async function walk({ fault, library, check }: Row): Promise<void> {
  const situation = await fault(world);
  const [report, diagnosis] = await Promise.all([attempt(situation), check && diagnosed(situation)]);
  expect({ ...report, blamed: partiesIn(report.message) }).toEqual({
    code: library.code,
    message: expect.stringMatching(library.step) as string,
    blamed: [library.party],
  });
  expectNoSecret(report);
  told.push(report.message);

  if (check === undefined || diagnosis === undefined) return;
  const isAtFault = (step: { ok: boolean; hint?: string }): boolean =>
    check.warns ? step.hint !== undefined : !step.ok;
  const step = diagnosis.steps.find(isAtFault);
  expect({ ok: diagnosis.ok, status: diagnosis.status }).toEqual(
    check.warns ? { ok: true, status: 0 } : { ok: false, status: 1 },
  );
  expect(step?.name).toBe(check.at);
  expect(`${step?.detail} ${step?.hint ?? ''}`).toMatch(check.names);
  expect(`${step?.detail} ${step?.hint ?? ''}`).toMatch(check.step);
  expectNoSecret(diagnosis);
}

test('at least 60 rows differ in the code, the party or the next step that they promise', () => {
  const promises = [...rows, ...storeRows].map(({ library: { code, party, step } }) =>
    [code, party, step.source].join(' '),
  );
  expect(new Set(promises).size).toBeGreaterThanOrEqual(60);
  expect(new Set(rows.map(({ title }) => title)).size).toBe(rows.length);
});

const without = (entries: Entry[], messages: string[]): string[] =>
  messages.filter((message) => !entries.some(({ matches }) => matches(message)));

test('every message of a row has a heading in the guide to troubleshooting', () => {
  // What axios itself says of the network is not ours; an event is a symptom, and has one entry for all its reasons.
  const foreign = /^works|^\w+ (?:time-out|error|unreadable)$|^connect E|^read E|^socket hang up/;
  const ours = told.filter((message) => !foreign.test(message));
  expect(without(troubleshootingEntries(), ours)).toEqual([]);
});

test('every problem of a configuration has a line in the guide to troubleshooting', () => {
  const rejected = told.filter((message) => message.startsWith('The configuration of'));
  expect(without(configurationProblems(), rejected)).toEqual([]);
});

test('every message in the guide to troubleshooting is one that a row of the table produced', () => {
  if (told.length < rows.length + (redisAvailable() ? storeRows.length : 0)) return;
  const unknown = [...troubleshootingEntries(), ...configurationProblems()].filter(
    ({ matches }) => !told.some(matches),
  );
  expect(unknown.map(({ text }) => text)).toEqual([]);
});

async function attempt({ attempt: run }: Situation): Promise<Report> {
  try {
    const returned = await run();
    const { code, message } = Object(returned) as Partial<Report>;
    return { code: code ?? 'works', message: message ?? 'works' };
  } catch (error) {
    return reportOf(error);
  }
}

async function diagnosed({ env, apart }: Situation): Promise<Diagnosis> {
  if (env === undefined) throw new Error('the row has no environment for check');
  if (!apart) return diagnose(env);
  const { status, out } = await command.run(['check', '--json'], env as Record<string, string>);
  return { status: Number(status), ...readDiagnosis(out) };
}

function expectNoSecret(seen: unknown): void {
  expect(JSON.stringify(seen).includes(world.emulator.clientSecret)).toBe(false);
}
