import axios from 'axios';
import { Agent } from 'undici';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { rejection, SECRET } from '../support/scripted';

let server: RawServer;
beforeEach(async () => {
  server = await startRawServer((_request, response) => answerJson(response, 200));
});
afterEach(() => server.close());

function install(fetchOptions: object) {
  const api = axios.create({ adapter: 'fetch', fetchOptions } as never);
  const auth = installBipsyncAuth(api, {
    ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
  });
  return { api, auth };
}

describe('7. an Agent of undici, the class of the dispatcher that Node has', () => {
  const agents: Agent[] = [];
  const createAgent = (options: Agent.Options): Agent => {
    const agent = new Agent(options);
    agents.push(agent);
    return agent;
  };
  afterEach(() => Promise.all(agents.splice(0).map((agent) => agent.destroy())));

  it('an Agent with ordinary options serves a loopback host', async () => {
    const dispatcher = createAgent({ keepAliveTimeout: 1000, connect: { timeout: 1000 } });
    expect((await install({ dispatcher }).api.get('/v1/research')).status).toBe(200);
  });

  it.each(['connect', 'factory'] as const)(
    'an Agent with a %s of its own is refused for a loopback host, because it may connect to a proxy',
    async (option) => {
      const own = jest.fn();
      const { auth } = install({ dispatcher: createAgent({ [option]: own }) });
      expect(await rejection(auth.getToken())).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
      expect(own).not.toHaveBeenCalled();
      expect(server.tokenRequests).toHaveLength(0);
    },
  );
});
