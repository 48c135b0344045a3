import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';

export const bipsync = axios.create();
export const auth = installBipsyncAuth(bipsync, {
  client: 'acme',
  clientId: 'test-client',
  clientSecret: 'test-secret',
  teamId: '65df73340142feec34d7d6ee',
});
