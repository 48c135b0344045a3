export { startBipsyncEmulator } from './testing/emulator';
export type { BipsyncEmulator, BipsyncEmulatorOptions } from './testing/emulator';
export type { EmulatorFault } from './testing/faults';
export type { EmulatorAnswer, JsonValue } from './testing/answers';
export type { EmulatorChallenge } from './testing/api';
export type { RecordedApiRequest, RecordedTokenRequest } from './testing/recordings';
export { mockBipsyncToken } from './testing/mock-token';
export type { BipsyncTokenMock, MockBipsyncTokenOptions, MockedBipsyncToken } from './testing/mock-token';
