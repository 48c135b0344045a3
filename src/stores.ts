export { redisTokenStore } from './stores/redis';
export type { RedisTokenStoreOptions, SendRedisCommand } from './stores/redis';
export { encryptedTokenStore } from './stores/encrypted';
export type { TokenEncryptionKey } from './stores/encrypted';
export type { TokenStore } from './token-store';
