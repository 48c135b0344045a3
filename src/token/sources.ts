import { createClientSecret } from './minting';
import { type BipsyncAuthRequestOptions, resolveRequestScope, type ResolvedConfig } from '../options/config';
import type { Emit } from '../events';
import type { TokenScope } from '../options/scopes';
import type { Token } from './token';
import type { TokenEndpoint } from './endpoint';
import { createTokenSource, type TokenSource, type TokenSourceOptions } from './source';
import { createSharedTokens } from './store';

/** The token sources of one installation: the configured one, and one for each other team or set of scopes. */
export interface TokenSources {
  readonly configured: TokenSource;
  /**
   * The source for what a request's own options ask.
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
   */
  forOptions(options: BipsyncAuthRequestOptions): TokenSource;
  forScope(scope: TokenScope): TokenSource;
  /** Whether an `Authorization` header holds a token that was given out here and may still be valid. */
  holdsIssuedToken: (authorization: unknown) => boolean;
  invalidate(): void;
}

/** For how long at least a token counts as issued, whatever its lifetime was said to be: milliseconds. */
const MIN_ISSUED_MS = 3_600_000;

export function createTokenSources(
  config: ResolvedConfig,
  endpoint: TokenEndpoint,
  emit: Emit,
): TokenSources {
  const sources = new Map<string, TokenSource>();
  const issued = new Map<unknown, number>();
  let invalidatedAt = -Infinity;
  const options: TokenSourceOptions = {
    config,
    endpoint,
    clientSecret: createClientSecret(config.clientSecret),
    shared: createSharedTokens(config.tokenStore, config),
    emit,
    onToken,
  };

  function onToken({ authorization, lifetimeMs }: Token): void {
    const now = performance.now();
    for (const [old, until] of issued) if (until < now) issued.delete(old);
    issued.set(authorization, now + Math.max(lifetimeMs, MIN_ISSUED_MS));
  }

  function sourceFor(scope: TokenScope): TokenSource {
    const key = scope.scopes.join(' ');
    let source = sources.get(key);
    if (source === undefined) {
      source = createTokenSource(scope, options, invalidatedAt);
      sources.set(key, source);
    }
    return source;
  }

  return {
    forScope: sourceFor,
    configured: sourceFor(config.tokenScope),
    forOptions: (requested) => sourceFor(resolveRequestScope(config.tokenScope, requested)),
    holdsIssuedToken: (authorization) => issued.has(authorization),
    invalidate() {
      invalidatedAt = Date.now();
      for (const source of sources.values()) source.invalidate(invalidatedAt);
    },
  };
}
