/** How many times longer than on a usual machine the tests wait for what must come: deadlines are multiplied by it. An emulated machine sets it. */
export const PATIENCE = Number(process.env['MOORING_TEST_PATIENCE'] ?? 1);
