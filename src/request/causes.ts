import { URL } from 'node:url';

import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { originOf, type Target } from '../axios/destination';
import { isProxyAnswer, proxyOf } from '../axios/proxies';
import { BipsyncAuthError } from '../errors';
import { ADDRESS_ADVICE } from '../token/answers';
import { proxyRefusal } from '../token/failures';
import type { TokenSource } from '../token/source';
import { asRecord } from '../values';
import { readChallengeError } from './challenge';
import { headerOf, type Outcome, requestOf, statusOf, surface } from './outcome';

// Why an API request failed, in the words of this package. These errors are the `cause` of axios's own.

export function accessDenied({ scope }: TokenSource): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_ACCESS_DENIED',
    'The API answered 401. A new token did not help (for this request, or for an earlier one), or the API said that the scopes of the ' +
      `token are not enough. The scopes asked for are "${scope.scopes.join(' ')}". Check which scope this endpoint needs, and ` +
      'whether it was granted to the client.',
  );
}

/** isScopeTooSmall returns whether the API says so. A new token would have the same scopes. */
export function isScopeTooSmall(outcome: Outcome): boolean {
  return readChallengeError(headerOf(outcome, 'www-authenticate')) === 'insufficient_scope';
}

/** isFromElsewhere tells whether a redirect led to another origin, whose answer says nothing about this one. Only the http adapter tells. */
export function isFromElsewhere(outcome: Outcome, { origin }: Target): boolean {
  const { responseUrl } = asRecord(asRecord(requestOf(outcome))['res']);
  const actual = originOf(responseUrl);
  return actual !== undefined && actual !== origin;
}

/** proxyRefusalOf returns the cause if a proxy answered instead of the API. */
export function proxyRefusalOf(
  outcome: Outcome,
  { origin }: Target,
  config: InternalAxiosRequestConfig,
): BipsyncAuthError | undefined {
  const status = statusOf(outcome);
  if (status === undefined || !isProxyAnswer(requestOf(outcome), origin)) return undefined;
  return proxyRefusal(status, proxyOf(origin, config), new URL(origin).hostname);
}

/** surfaceExplained hands an outcome other than a 401 to the caller, with the reason of a failure as `cause`. */
export function surfaceExplained(
  outcome: Outcome,
  target: Target,
  config: InternalAxiosRequestConfig,
): AxiosResponse {
  if (!('error' in outcome) || isFromElsewhere(outcome, target)) return surface(outcome);
  const cause = proxyRefusalOf(outcome, target, config);
  return surface(outcome, cause ?? (statusOf(outcome) === 403 ? forbidden(outcome, target) : undefined));
}

/** Bipsync documents a 403 for an IP address. RFC 6750 §3.1 has it for a scope that is too small, with a challenge that says so. */
function forbidden(outcome: Outcome, { origin }: Target): BipsyncAuthError {
  if (!isScopeTooSmall(outcome)) {
    return new BipsyncAuthError('ERR_BIPSYNC_IP_NOT_ALLOWED', `${origin} answered 403. ${ADDRESS_ADVICE}`);
  }
  return new BipsyncAuthError(
    'ERR_BIPSYNC_ACCESS_DENIED',
    `${origin} answered 403 and said that the scopes of the token are not enough. A new token would have the same scopes. ` +
      'Check which scope this endpoint needs, and whether it was granted to the client.',
  );
}

/** sentWithoutToken explains the 401 of a request that the plugin had no chance to put a token on. */
export function sentWithoutToken(): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    'The request had no token, because axios-bipsync-auth never saw its config. If an interceptor builds a new config, it must ' +
      'copy all fields of the old one, including the adapter.',
  );
}
