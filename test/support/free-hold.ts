import type { Hold } from '../../src/engine/images/pins.ts';

/** For stores that nothing collects, and whose machine does not go down. */
export const freeHold: Hold = { add: async () => {}, expect: async () => {}, [Symbol.dispose]: () => {} };

/** The ledger of such a store. */
export const freeLedger = { note: async (): Promise<void> => {}, release: (): void => {}, settle: async (): Promise<void> => {} };
