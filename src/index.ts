export {
  type BipsyncAuthConfig,
  bipsyncAuthConfigFromEnv,
  type BipsyncAuthRequestOptions,
  type GetTokenOptions,
} from './options/config';
export {
  BipsyncAuthError,
  type BipsyncAuthErrorCode,
  type BipsyncAuthErrorDetails,
  isBipsyncAuthError,
} from './errors';
export type {
  AcquisitionReason,
  AuthorizationReplacedEvent,
  BipsyncAuthEvent,
  EventTokenScope,
  RequestReplayedEvent,
  RequestUnauthenticatedEvent,
  StoreFailedEvent,
  TokenAcquiredEvent,
  TokenFailedEvent,
  UnauthenticatedReason,
} from './events';
export { type BipsyncAuth, type BipsyncToken, installBipsyncAuth } from './install';
export type { BipsyncScope, KnownBipsyncScope } from './options/scopes';
export type { TokenStore } from './options/token-store';
