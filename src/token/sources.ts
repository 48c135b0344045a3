import type { Emit } from '../events';
import type { ResolvedConfig } from '../options/config';
import type { TokenScope } from '../options/scopes';
import { createCoolDown } from './cool-down';
import type { TokenEndpoint } from './endpoint';
import { createIssued } from './issued';
import { type Client, createMinting } from './minting';
import { createClientSecret } from './secret';
import { createSharedStore } from './shared-store';
import { storeKey, withoutSharing, withSharing } from './sharing';
import { createTokenSource, type TokenSource } from './source';

/** The token sources of one installation: the configured one, and one for each other team or set of scopes. */
export interface TokenSources {
  readonly configured: TokenSource;
  forScope(scope: TokenScope): TokenSource;
  /** Whether an `Authorization` header holds a token that one of the sources had. */
  readonly hasIssued: (authorization: unknown) => boolean;
  invalidate(): void;
}

/** A process that asks for ever more teams or sets of scopes must not grow without end. */
const MAX_SOURCES = 1000;

export function createTokenSources(
  config: ResolvedConfig,
  endpoint: TokenEndpoint,
  emit: Emit,
): TokenSources {
  const { tokenStore, tokenTimeoutMs } = config;
  const client: Client = {
    endpoint,
    clientSecret: createClientSecret(config.clientSecret),
    windows: config,
    coolDown: createCoolDown(),
  };
  const waitsFor = waitsForOf(config);
  const shared = tokenStore && createSharedStore(tokenStore, config);
  /** The least recently used first. */
  const others = new Map<string, TokenSource>();
  let invalidatedAt = -Infinity;
  const issued = createIssued();

  function create(scope: TokenScope): TokenSource {
    const { scopes } = scope;
    const prepare = createMinting(client, scopes);
    const store = shared?.(
      (operation, reason) => emit(scope, { type: 'store-failed', operation, reason }),
      scopes,
    );
    const key = storeKey(config.origin, config.tokenUrl.href, config.clientId, scopes);
    return createTokenSource({
      scope,
      acquire: store ? withSharing(prepare, store, key, tokenTimeoutMs) : withoutSharing(prepare),
      tokenTimeoutMs,
      waitsFor,
      clientCoolDown: client.coolDown,
      emit,
      invalidatedAt,
      onToken: issued.add,
    });
  }

  const configured = create(config.tokenScope);
  const configuredKey = keyOf(config.tokenScope);

  function forScope(scope: TokenScope): TokenSource {
    const key = keyOf(scope);
    if (key === configuredKey) return configured;
    const source = others.get(key) ?? create(scope);
    others.delete(key);
    if (others.size >= MAX_SOURCES - 1) others.delete(keyToDrop());
    others.set(key, source);
    return source;
  }

  /** An idle source, or else the one that was not used for the longest time. */
  function keyToDrop(): string {
    const [oldest = ''] = others.keys();
    for (const [key, source] of others) if (source.isIdle()) return key;
    return oldest;
  }

  return {
    configured,
    forScope,
    hasIssued: issued.has,
    invalidate() {
      invalidatedAt = Date.now();
      client.coolDown.end();
      for (const source of [configured, ...others.values()]) source.invalidate(invalidatedAt);
    },
  };
}

const keyOf = ({ scopes }: TokenScope): string => scopes.join(' ');

/** The query of the URL is left out: it may hold anything. */
function waitsForOf({ clientSecret, tokenStore, tokenUrl }: ResolvedConfig): string {
  return [
    ...(typeof clientSecret === 'function' ? ['the clientSecret function or file'] : []),
    ...(tokenStore ? ['the token store'] : []),
    ...(tokenUrl.protocol === 'https:' ? ['a proxy'] : []),
    `the token endpoint ${tokenUrl.origin}${tokenUrl.pathname}`,
  ].join(', ');
}
