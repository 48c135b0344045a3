import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { type AdapterOption, isNamed, isSameAdapter, resolveAdapter } from '../axios/adapters';
import { adoptHeaders } from '../axios/headers';
import type { Send } from './outcome';

/** Dispatch gets a request from a bound adapter, with the caller's adapter and the function that sends to it. */
export type Dispatch = (
  config: InternalAxiosRequestConfig,
  adapter: AdapterOption,
  send: Send,
) => Promise<AxiosResponse>;

/** createBind makes the function that puts `dispatch` in front of an adapter. */
export function createBind(isOwnCopy: boolean, dispatch: Dispatch): (adapter: AdapterOption) => AxiosAdapter {
  const boundAdapters = new WeakSet<object>();
  let last: { to: AdapterOption; adapter: AxiosAdapter } | undefined;

  return (adapter) => {
    if (last && isSameAdapter(last.to, adapter)) return last.adapter;
    // A name is in no such set.
    if (boundAdapters.has(adapter as AxiosAdapter)) return adapter as AxiosAdapter;
    const send = senderTo(adapter, isOwnCopy);
    const bound: AxiosAdapter = (config) => dispatch(config, adapter, send);
    boundAdapters.add(bound);
    last = { to: adapter, adapter: bound };
    return bound;
  };
}

function senderTo(adapter: AdapterOption, isOwnCopy: boolean): Send {
  return (config) => {
    try {
      const resolved = resolveAdapter(adapter, config);
      const restore = !isOwnCopy && isNamed(adapter) ? adoptHeaders(config) : undefined;
      // An adapter that answers without a promise is let pass, as an `async` one.
      const sent = Promise.resolve(resolved(config));
      return restore ? sent.finally(restore) : sent;
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- rejected as it was thrown
      return Promise.reject(error);
    }
  };
}
