#!/usr/bin/env node
// Runs the program with the same arguments, streams, signals and exit code.

import { spawn } from 'node:child_process';

import { program } from '../program.js';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const child = spawn(program(), process.argv.slice(2), { stdio: 'inherit' });
for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`openai-admin: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  for (const forwarded of FORWARDED) process.removeAllListeners(forwarded);
  process.kill(process.pid, signal);
});
