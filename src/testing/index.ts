export { startBipsyncEmulator } from './emulator';
export type { BipsyncEmulator, BipsyncEmulatorOptions } from './emulator';
export type { EmulatorFault } from './faults';
export type { EmulatorAnswer, JsonValue } from './answers';
export type { EmulatorChallenge } from './api';
export type { RecordedApiRequest, RecordedTokenRequest } from './recordings';
export { mockBipsyncToken } from './mock-token';
export type { BipsyncTokenMock, MockBipsyncTokenOptions, MockedBipsyncToken } from './mock-token';
