import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

import { emulated } from '../support/emulated';
import { rejection } from '../support/scripted';

/** An agent that counts its connections and the requests they serve. */
class CountingAgent extends Agent {
  connections = 0;

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    this.connections += 1;
    return super.createConnection(options, callback) as Duplex;
  }
}

const agents: Agent[] = [];

function oneSocketAgent(): CountingAgent {
  const agent = new CountingAgent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

describe('an agent of the instance', () => {
  it('serves token requests too, over the very same connection', async () => {
    const httpAgent = oneSocketAgent();
    const { api, emulator } = await emulated({ http: { httpAgent, timeout: 15_000 } });
    await Promise.all(Array.from({ length: 20 }, () => api.get('/v1/research')));
    expect(emulator.tokenRequests).toBe(1);
    expect(httpAgent.connections).toBe(1);
  });

  it('counts when it is set after the plugin was installed', async () => {
    const { api, emulator } = await emulated();
    const httpAgent = oneSocketAgent();
    api.defaults.httpAgent = httpAgent;
    await api.get('/v1/research');
    expect(emulator.tokenRequests).toBe(1);
    expect(httpAgent.connections).toBe(1);
  });

  it('that is set on one request serves this request and its replay, not the token request', async () => {
    const httpAgent = oneSocketAgent();
    const { api, emulator } = await emulated({ http: { timeout: 15_000 } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect((await api.get('/v1/research', { httpAgent })).status).toBe(200);
    expect(httpAgent.connections).toBe(1);
  });
});

describe('an agent of one socket is not deadlocked by a 401', () => {
  it.each(['json', 'stream', 'arraybuffer'] as const)('with responseType %s', async (responseType) => {
    const httpAgent = oneSocketAgent();
    const { api, emulator } = await emulated({ http: { httpAgent, responseType, timeout: 15_000 } });
    await api.get('/v1/research', { responseType: 'json' });
    emulator.revokeTokens();
    const { status, data } = await api.get<AsyncIterable<string>>('/v1/research');
    expect(status).toBe(200);
    if (responseType === 'stream') expect(await text(data)).toContain('note-10');
    expect(emulator.tokenRequests).toBe(2);
    expect((await api.get('/v1/research', { responseType: 'json' })).status).toBe(200);
  });

  it('for several streams at once', async () => {
    const httpAgent = oneSocketAgent();
    const { api, emulator } = await emulated({ http: { httpAgent, timeout: 15_000 } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    const bodies = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { data } = await api.get<AsyncIterable<string>>('/v1/research', { responseType: 'stream' });
        return text(data);
      }),
    );
    expect(bodies.every((body) => body.includes('note-10'))).toBe(true);
    expect(emulator.tokenRequests).toBe(2);
  });

  it('even if the body of the 401 never ends', async () => {
    const httpAgent = oneSocketAgent();
    const { api, emulator } = await emulated({
      http: { httpAgent, responseType: 'stream', timeout: 15_000, validateStatus: () => true },
    });
    emulator.failApiRequests({ status: 401, headers: { 'Content-Length': '1000' }, body: 'unfinished' });
    const { status, data } = await api.get<AsyncIterable<string>>('/v1/research');
    expect(status).toBe(200);
    expect(await text(data)).toContain('note-10');
  });

  it('if the caller gets this 401 and reads its body', async () => {
    const httpAgent = oneSocketAgent();
    const { api } = await emulated({
      http: { httpAgent, responseType: 'stream', timeout: 15_000 },
      emulator: { challenge: 'rfc6750' },
    });
    const error = await rejection(api.get('/v1/field'));
    const { data } = error['response'] as { data: AsyncIterable<string> };
    expect(await text(data)).toContain('access_denied');
  });
});
