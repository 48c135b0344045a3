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
export {
  type AxiosInstanceLike,
  type BipsyncAuth,
  type BipsyncToken,
  installBipsyncAuth,
  type InterceptorManagerLike,
} from './install';
export { bipsyncAuthConfigFromEnv } from './options/environment';
export type { BipsyncScope, KnownBipsyncScope } from './options/scopes';
export type { TokenStore } from './options/token-store';
export type { BipsyncAuthConfig, BipsyncAuthRequestOptions, GetTokenOptions } from './options/types';
