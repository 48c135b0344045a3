// @ts-check
/**
 * A service whose client secret is in a file, as Kubernetes and Docker mount secrets. BIPSYNC_CLIENT_SECRET_FILE names the
 * file (deployment.yaml). It is read at every token request, so a new secret needs no restart.
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

export const bipsync = axios.create({ timeout: 30_000 });
export const auth = installBipsyncAuth(bipsync, bipsyncAuthConfigFromEnv());

export async function countNotes() {
  const { data } = await bipsync.get('/v1/research', { params: { limit: 1 } });
  return data.total;
}
