import { fileURLToPath } from 'node:url';

/** The runtime that the tests run: the one that is built, or another build of it (`make -C native sanitize`). */
export const RUNTIME = process.env['MOORING_TEST_RUNTIME'] ?? fileURLToPath(new URL('../../native/build/mooring-runtime', import.meta.url));
