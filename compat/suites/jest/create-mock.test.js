/* global expect, jest, test */
const { createMock } = require('@golevelup/ts-jest');

/** Code that gets its axios instance and the plugin's handle, as a Nest service does. */
class NotesService {
  constructor(bipsync, auth) {
    this.bipsync = bipsync;
    this.auth = auth;
  }

  async titles() {
    const { data } = await this.bipsync.get('/v1/research');
    return data.results.map(({ title }) => title);
  }

  async scopes() {
    return (await this.auth.getToken()).scopes;
  }
}

test('createMock stands in for the instance and for the handle, where a class gets both', async () => {
  const bipsync = createMock({ get: async () => ({ data: { results: [{ title: 'Q3 review' }] } }) });
  const auth = createMock({
    getToken: jest.fn(async () => ({ accessToken: 'test', scopes: ['rest_api:read'] })),
  });
  const notes = new NotesService(bipsync, auth);
  expect(await notes.titles()).toEqual(['Q3 review']);
  expect(await notes.scopes()).toEqual(['rest_api:read']);
  expect(bipsync.get).toHaveBeenCalledWith('/v1/research');
});

test('createMock in place of an axios instance is refused at installation, with the line to write', () => {
  const { installBipsyncAuth } = require('axios-bipsync-auth');
  const config = { client: 'acme', clientId: 'test-client', clientSecret: 'test-secret', teamId: '1' };
  expect(() => installBipsyncAuth(createMock(), config)).toThrow(/jest\.mock\(['"]axios-bipsync-auth['"]\)/);
});
