// Runs every example against an emulator and, for those that share tokens, a Redis of their own. Each has to end by itself
// with status 0.
import { spawn } from 'node:child_process';
console.log(typeof spawn);
