export { installBipsyncAuthOn } from './http-service';
export { BipsyncHttpModule } from './module';
export {
  BIPSYNC_AUTH,
  type BipsyncHttpModuleAsyncOptions,
  type BipsyncHttpModuleExtras,
  type BipsyncHttpModuleOptions,
  type BipsyncHttpOptions,
  type BipsyncHttpOptionsFactory,
  getBipsyncAuthToken,
  getBipsyncHttpToken,
} from './options';
