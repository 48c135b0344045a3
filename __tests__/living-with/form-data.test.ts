import { Readable } from 'node:stream';

import FormDataPackage from 'form-data';

import { emulated } from '../support/emulated';
import { rejection } from '../support/scripted';

const bytes = Buffer.from('some bytes of a file');

function packageForm(): FormDataPackage {
  const form = new FormDataPackage();
  form.append('title', 'Übersicht');
  form.append('file', Readable.from([bytes]), { filename: 'a.txt', knownLength: bytes.length });
  return form;
}

function standardForm(): FormData {
  const form = new FormData();
  form.append('title', 'Übersicht');
  form.append('file', new Blob([bytes]), 'a.txt');
  return form;
}

describe('the form-data package, whose forms can be read once', () => {
  it('is uploaded with the token', async () => {
    const { api, emulator } = await emulated();
    await api.post('/v1/echo', packageForm());
    const [request] = emulator.requests;
    expect(request).toMatchObject({ authorization: 'valid', status: 200 });
    expect(request?.headers['content-type']).toContain('multipart/form-data; boundary=');
    expect(request?.body.toString()).toContain('some bytes of a file');
  });

  it('is not sent again after a 401, which surfaces at once; the next upload works', async () => {
    const { api, emulator, events } = await emulated({ http: { timeout: 15_000 } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect(await rejection(api.post('/v1/echo', packageForm()))).toMatchObject({ status: 401 });
    expect((await api.post('/v1/echo', packageForm())).status).toBe(200);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(emulator.tokenRequests).toBe(2);
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'request-replayed' }));
  });

  it('is not sent again either if postForm made the form of an object in Node', async () => {
    const { api, emulator } = await emulated({ http: { timeout: 15_000 } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    const outcome = api.postForm('/v1/echo', { title: 'Übersicht' });
    const { status } = await outcome.catch((error: unknown) => error as { status?: number });
    const statuses = emulator.requests.map((request) => request.status);
    // Depending on the version of axios it is a form of the package or one that can be read again.
    expect([
      [401, 200, 401],
      [200, 200, 401, 200],
    ]).toContainEqual([status, ...statuses]);
  });

  it('is uploaded at once after a revocation if getToken() was called before', async () => {
    const { api, auth, emulator } = await emulated();
    await api.get('/v1/research');
    emulator.revokeTokens();
    auth.invalidate();
    await auth.getToken();
    expect((await api.post('/v1/echo', packageForm())).status).toBe(200);
  });
});

describe("the standard's FormData", () => {
  it('is sent again after a 401, whole', async () => {
    const { api, emulator } = await emulated({ http: { adapter: 'http' } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect((await api.post('/v1/echo', standardForm())).status).toBe(200);
    const [, refused, replayed] = emulator.requests;
    for (const request of [refused, replayed]) {
      const boundary = /boundary=(\S+)/.exec(request?.headers['content-type'] ?? '')?.[1];
      const body = request?.body.toString() ?? '';
      expect(body.split(`--${boundary}`)).toHaveLength(4);
      expect(body).toContain('some bytes of a file');
      expect(body).toContain('Übersicht');
    }
  });

  it('is sent again over fetch as it was the first time', async () => {
    const { api, emulator } = await emulated({ http: { adapter: 'fetch' } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect((await api.post('/v1/echo', standardForm())).status).toBe(200);
    // The boundary is the runtime's own, and another each time.
    const bodies = emulator.requests.map(({ body }) => body.toString().replaceAll(/formdata-\w+-\d+/g, ''));
    expect(bodies[2]).toBe(bodies[1]);
    expect(bodies[2]).toContain('some bytes of a file');
  });
});
