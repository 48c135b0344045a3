import { randomBytes } from 'node:crypto';

import type { JsonValue } from './json';

/** The access tokens that are good at the moment, with their scopes. */
interface IssuedTokens {
  issue(scopes: ReadonlySet<string>, expiresIn: JsonValue | undefined): string;
  scopesOf(accessToken: string): ReadonlySet<string> | undefined;
  revokeAll(): void;
}

interface Grant {
  scopes: ReadonlySet<string>;
  wallExpiry: number;
  monotonicExpiry: number;
}

export function issuedTokens(): IssuedTokens {
  const grants = new Map<string, Grant>();

  /** Oldest first, and only until the first good one: cheap, and a long run does not grow. */
  function dropExpired(): void {
    for (const [accessToken, grant] of grants) {
      if (!isExpired(grant)) return;
      grants.delete(accessToken);
    }
  }

  return {
    issue(scopes, expiresIn) {
      dropExpired();
      const accessToken = randomBytes(48).toString('base64url');
      const lifetimeMs = lifetimeSeconds(expiresIn) * 1000;
      grants.set(accessToken, {
        scopes,
        wallExpiry: Date.now() + lifetimeMs,
        monotonicExpiry: performance.now() + lifetimeMs,
      });
      return accessToken;
    },
    scopesOf(accessToken) {
      const grant = grants.get(accessToken);
      return grant && !isExpired(grant) ? grant.scopes : undefined;
    },
    revokeAll() {
      grants.clear();
    },
  };
}

/** Both clocks count, so that a test may move either. */
function isExpired({ wallExpiry, monotonicExpiry }: Grant): boolean {
  return Date.now() >= wallExpiry || performance.now() >= monotonicExpiry;
}

function lifetimeSeconds(expiresIn: JsonValue | undefined): number {
  const seconds = Number(expiresIn);
  return seconds > 0 ? seconds : 3600;
}
