import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';

export interface Credentials {
  baseURL: string;
  clientId: string;
  clientSecret: string;
  scope: string;
}

/** What the demo adds: connections of its own, and no proxy. */
export type Transport = Pick<AxiosRequestConfig, 'httpAgent' | 'proxy' | 'timeout'>;

/**
 * pastedInterceptor is what web pages show and many integrations hold: it works until something happens. The demo plays
 * its story with it and with the plugin.
 */
export function pastedInterceptor(
  { baseURL, clientId, clientSecret, scope }: Credentials,
  transport: Transport,
): { api: AxiosInstance; getToken: () => Promise<string> } {
  let token: string | undefined;
  let expiresAt = 0;

  async function getToken(): Promise<string> {
    if (token !== undefined && Date.now() < expiresAt) return token;
    const { data } = await axios.post<{ access_token: string; expires_in: number }>(
      `${baseURL}/v1/oauth/token`,
      { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope },
      transport,
    );
    token = data.access_token;
    expiresAt = Date.now() + data.expires_in * 1000;
    return token;
  }

  const api = axios.create({ ...transport, baseURL });

  api.interceptors.request.use(async (config) => {
    config.headers.Authorization = `Bearer ${await getToken()}`;
    return config;
  });

  api.interceptors.response.use(undefined, async (error: PastedError) => {
    if (error.response?.status === 401 && !error.config.isRetry) {
      token = undefined;
      return api({ ...error.config, isRetry: true } as object);
    }
    throw error;
  });

  return { api, getToken };
}

interface PastedError extends Error {
  response?: { status: number };
  config: { isRetry?: boolean };
}
