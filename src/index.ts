export { type BipsyncAuthConfig, bipsyncAuthConfigFromEnv, type BipsyncAuthRequestOptions } from './config';
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
export { type BipsyncAuth, type BipsyncToken, type GetTokenOptions, installBipsyncAuth } from './install';
export type { BipsyncScope, KnownBipsyncScope } from './scopes';
export type { TokenStore } from './token-store';
