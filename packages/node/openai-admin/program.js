// Finds the program `openai-admin`.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Returns the path of the program: OPENAI_ADMIN_BIN, or the one in the package for this platform. */
export function program() {
  if (process.env.OPENAI_ADMIN_BIN) return process.env.OPENAI_ADMIN_BIN;
  const platform = `${process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'openai-admin.exe' : 'openai-admin';
  try {
    return require.resolve(`openai-admin-${platform}/bin/${file}`);
  } catch {
    throw new Error(
      `the package openai-admin-${platform} is not installed: install openai-admin with its optional dependencies, ` +
        'or put the path of the program in OPENAI_ADMIN_BIN',
    );
  }
}
