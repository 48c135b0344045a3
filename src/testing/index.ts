export { startBipsyncEmulator } from './emulator';
export type { BipsyncEmulator, BipsyncEmulatorOptions } from './emulator';
export type { EmulatorFault } from './faults';
export type { EmulatorAnswer } from './answers';
export type { JsonValue } from './json';
export type { EmulatorChallenge } from './api';
export type { AnsweredRequest, RecordedApiRequest, RecordedTokenRequest } from './recordings';
export { mockBipsyncToken } from './mock-token';
export type { BipsyncTokenMock, MockBipsyncTokenOptions, MockedBipsyncToken } from './mock-token';
