export { redisTokenStore } from './redis';
export type { RedisTokenStoreOptions, SendRedisCommand } from './redis';
export { encryptedTokenStore } from './encrypted';
export type { TokenEncryptionKey } from './encrypted';
export type { TokenStore } from '../options/token-store';
