import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';

import axios, { type AxiosAdapter } from 'axios';
import FormData from 'form-data';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { type Answer, deferred, rejection, scripted, SECRET, tokenAnswer } from '../support/scripted';

const MISSING = '/no/such/folder/note.pdf';

const adapters: Record<string, () => AxiosAdapter | 'http' | 'fetch'> = {
  http: () => 'http',
  fetch: () => 'fetch',
  'a function': () => {
    const inner = axios.getAdapter('http');
    return (config) => inner(config);
  },
};

/** Streams whose end comes while nobody reads them. A form keeps the end of its file to itself until it is read. */
const ends: Record<string, (onEndOfFile: () => void) => unknown> = {
  'a missing file': () => createReadStream(MISSING),
  'form-data with a missing file': (onEndOfFile) => {
    const form = new FormData();
    form.append('file', createReadStream(MISSING).once('error', onEndOfFile));
    return form;
  },
  'a stream that fails at once': () => {
    const stream = new PassThrough().on('error', () => undefined);
    stream.destroy(Object.assign(new Error('pipe broke'), { code: 'EPIPE' }));
    return stream;
  },
  'a stream that fails later': () => {
    const stream = new PassThrough();
    setTimeout(() => stream.destroy(Object.assign(new Error('pipe broke'), { code: 'EPIPE' })), 20);
    return stream;
  },
  'a stream that is destroyed later': () => {
    const stream = new PassThrough();
    setTimeout(() => stream.destroy(), 20);
    return stream;
  },
};

// Over fetch, axios has no support for the package form-data.
const cases = Object.keys(adapters)
  .flatMap((adapter) => Object.keys(ends).map((end) => [end, adapter] as const))
  .filter(([end, adapter]) => !(adapter === 'fetch' && end.startsWith('form-data')));

describe('13. a body that ends while its request waits for a token', () => {
  let server: RawServer | undefined;
  let uncaught: unknown[];
  const onUncaught = (error: unknown): void => void uncaught.push(error);
  beforeEach(() => {
    uncaught = [];
    process.on('uncaughtException', onUncaught);
    process.on('unhandledRejection', onUncaught);
  });
  afterEach(async () => {
    await server?.close();
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onUncaught);
  });

  it.each(cases)(
    'a request with %s as its body is rejected over %s, the process continues, and the next request works',
    async (end, how) => {
      let issue: (() => void) | undefined;
      server = await startRawServer(
        (_request, response) => answerJson(response, 200),
        (_request, response) => (issue = () => answerJson(response, 200, tokenAnswer('late').body)),
      );
      const api = axios.create({ adapter: adapters[how]!(), timeout: 15_000 });
      installBipsyncAuth(api, {
        ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
      });
      const issueToken = async (): Promise<void> => {
        while (!issue) await new Promise(setImmediate);
        issue();
      };
      const body = ends[end]!(() => void issueToken());
      const error = await rejection(api.post('/v1/echo', body));
      expect(error['code']).toBe(
        end.includes('missing') ? 'ENOENT' : end.includes('fails') ? 'EPIPE' : 'ERR_CANCELED',
      );
      expect(error['config']).toMatchObject({ url: '/v1/echo' });
      if (!end.startsWith('form-data')) await issueToken();
      expect((await api.get('/v1/research')).status).toBe(200);
      expect(server.tokenRequests).toHaveLength(1);
      expect(server.arrived).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(uncaught).toEqual([]);
    },
  );

  it('a stream that nobody ends is sent whole, and no listener of the wait is left on it', async () => {
    const state = scripted();
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    const body = new PassThrough();
    const posted = state.api.post('/v1/echo', body);
    await new Promise((resolve) => setImmediate(resolve));
    const [errors, closes] = [body.listenerCount('error'), body.listenerCount('close')];
    expect(closes).toBe(1);
    answer.resolve(tokenAnswer('t'));
    await posted;
    expect(body.listenerCount('close')).toBe(0);
    expect(body.listenerCount('error')).toBeLessThan(errors);
    expect(body.destroyed).toBe(false);
  });

  it('a stream that ended well before is sent as it is', async () => {
    const state = scripted();
    const body = Readable.from(['x'], { autoDestroy: false });
    for await (const chunk of body) expect(chunk).toBe('x');
    const answered = await state.api.post('/v1/echo', body).catch((error: unknown) => error);
    expect(answered).toBeDefined();
  });
});
