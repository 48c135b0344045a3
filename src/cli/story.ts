import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios from 'axios';

import { type AcquisitionReason, installBipsyncAuth } from '../index';
import type { BipsyncEmulator, BipsyncEmulatorOptions } from '../testing/index';
import { type Credentials, pastedInterceptor, type Transport } from './pasted';
import {
  type Call,
  type Elsewhere,
  type MeasureName,
  measures,
  type Scene,
  type Stage,
  UNPROMISED,
} from './scenes';

export type StartEmulator = (options: BipsyncEmulatorOptions) => Promise<BipsyncEmulator>;

/** One scene of the story, played by the pasted interceptor and by the plugin. */
export interface Row {
  title: string;
  ok: boolean;
  /** Promises of the plugin that were not kept, in words. */
  broken: string[];
  measures: Measure[];
}

/** What was counted or timed, and at most what number of it the plugin promises. */
interface Measure {
  name: MeasureName;
  pasted: number;
  plugin: number;
  promised?: number;
}

/** playStory plays the scenes one after the other, each with the pasted interceptor first, on an emulator of its own. */
export async function* playStory(scenes: readonly Scene[], start: StartEmulator): AsyncGenerator<Row> {
  const elsewhere = await startElsewhere();
  try {
    for (const scene of scenes) {
      const pasted = await play(scene, withPasted, start, elsewhere);
      const plugin = await play(scene, withPlugin, start, elsewhere);
      const rows = Object.entries(scene.shows) as [MeasureName, number][];
      yield {
        title: scene.title,
        ok: plugin.broken.length === 0,
        broken: plugin.broken,
        measures: rows.map(([name, promised]) => ({
          name,
          pasted: pasted.seen[name],
          plugin: plugin.seen[name],
          ...(promised !== UNPROMISED && { promised }),
        })),
      };
    }
  } finally {
    await elsewhere.close();
  }
}

interface Played {
  seen: Record<MeasureName, number>;
  broken: string[];
}

type Player = (
  credentials: Credentials,
  transport: Transport,
) => Pick<Stage, 'api' | 'accessToken' | 'reasons'>;

const withPasted: Player = (credentials, transport) => {
  const { api, getToken } = pastedInterceptor(credentials, transport);
  return { api, accessToken: getToken, reasons: [] };
};

const withPlugin: Player = ({ baseURL, clientId, clientSecret, scope }, transport) => {
  const api = axios.create(transport);
  const reasons: AcquisitionReason[] = [];
  const auth = installBipsyncAuth(api, {
    baseURL,
    clientId,
    clientSecret,
    scopes: scope,
    onEvent: (event) => event.type === 'token-acquired' && reasons.push(event.reason),
  });
  return { api, accessToken: async () => (await auth.getToken()).accessToken, reasons };
};

async function play(
  scene: Scene,
  player: Player,
  start: StartEmulator,
  elsewhere: Elsewhere,
): Promise<Played> {
  const emulator = await start({ ...scene.emulator, record: true });
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 256 });
  const scope = `team_${teamId} rest_api:read`;
  const transport: Transport = { httpAgent, proxy: false, timeout: 10_000 };
  elsewhere.reset();
  try {
    const played = player({ baseURL, clientId, clientSecret, scope }, transport);
    if (scene.hasWrongSecret) emulator.rotateSecret();
    const stage = { ...played, secret: clientSecret, emulator, elsewhere };
    return judge(scene, await scene.play(stage), stage);
  } finally {
    httpAgent.destroy();
    await emulator.close();
  }
}

/** What the plugin promises is asked of both; the pasted interceptor promises nothing. */
function judge(scene: Scene, calls: Call[], stage: Stage): Played {
  const { apiRequests } = stage.emulator;
  const seen = Object.fromEntries(
    Object.entries(measures).map(([name, measure]) => [name, measure(calls, stage)]),
  ) as Record<MeasureName, number>;
  const broken: string[] = [];
  const expect = (what: string, wanted: unknown, ...found: unknown[]): void => {
    const others = [...new Set(found)].filter((one) => wanted !== undefined && one !== wanted);
    if (others.length > 0) broken.push(`${what}: promised ${String(wanted)}, seen ${others.join(', ')}`);
  };
  for (const [name, most] of Object.entries(scene.shows) as [MeasureName, number][]) {
    if (seen[name] > most) broken.push(`${name}: promised at most ${most}, seen ${seen[name]}`);
  }
  expect('outcome of the calls', scene.outcome, ...calls.map(({ outcome }) => outcome));
  expect('API requests', scene.apiRequests, apiRequests);
  expect('reason of the token requests', scene.reason, ...stage.reasons);
  return { seen, broken };
}

async function startElsewhere(): Promise<Elsewhere> {
  let tokens = 0;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== undefined) tokens += 1;
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    tokens: () => tokens,
    reset: () => {
      tokens = 0;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
