import { z } from 'zod';
import { foundBy } from './check.ts';
import { pathField } from './path-field.ts';
import { repeated } from './repeated.ts';

const device = () => pathField().meta({ description: 'The block device: its node on the machine, such as `/dev/sda`.' });
const weight = () => z.int().min(10).max(1000);

const rates = (description: string, unit: string) =>
  z
    .array(z.strictObject({ path: device(), rate: z.int().min(1).max(Number.MAX_SAFE_INTEGER).meta({ description: `At most so many ${unit} a second.` }) }))
    .max(64)
    .check(foundBy((all) => repeated(all, ({ path }) => path, 'path')))
    .meta({ description, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['path'] })
    .default([]);

/** As in the OCI runtime spec (config-linux.md, blockIO), but with devices by their paths. */
export const blockIOSchema = z
  .strictObject({
    weight: weight().meta({ description: "Its share of every block device's time against other cgroups, from 10 to 1000. Wants an I/O scheduler that goes by weights (BFQ)." }).optional(),
    weightDevice: z
      .array(z.strictObject({ path: device(), weight: weight().meta({ description: 'Its share of this one, from 10 to 1000.' }) }))
      .max(64)
      .check(foundBy((all) => repeated(all, ({ path }) => path, 'path')))
      .meta({ description: 'Other shares of single devices.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['path'] })
      .default([]),
    throttleReadBpsDevice: rates('How fast it may read from devices.', 'bytes'),
    throttleWriteBpsDevice: rates('How fast it may write to devices.', 'bytes'),
    throttleReadIOPSDevice: rates('How often it may read from devices.', 'operations'),
    throttleWriteIOPSDevice: rates('How often it may write to devices.', 'operations'),
  })
  .meta({ description: 'Limits of what it reads from block devices and writes to them.' });

export type BlockIO = z.output<typeof blockIOSchema>;
