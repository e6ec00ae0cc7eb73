import { z } from 'zod';
import { foundBy } from './check.ts';
import { grammarString } from './grammar.ts';
import { pathField } from './path-field.ts';
import { repeated } from './repeated.ts';

const PERMISSIONS = { pattern: /^(r|w|m|rw|wr|rm|mr|wm|mw|rwm|rmw|wrm|wmr|mrw|mwr)$/, maxLength: 3, what: 'made of the letters r, w and m, each at most once' };
const RULE = { pattern: /^(a [*]:[*]|[bc] ([0-9]{1,7}|[*]):([0-9]{1,7}|[*])) (r|w|m|rw|wr|rm|mr|wm|mw|rwm|rmw|wrm|wmr|mrw|mwr)$/, maxLength: 32, what: 'a device rule such as "c 189:* rwm"' };

export const devicesSchema = z
  .array(
    z.strictObject({
      path: pathField().meta({ description: 'A device of the node, such as `/dev/fuse`, or a folder with all devices in it.' }),
      containerPath: pathField().meta({ description: 'Where the container has it. Without it, where the node has it.' }).optional(),
      permissions: grammarString(PERMISSIONS).meta({ description: 'What the container may do with it: `r`ead, `w`rite, and `m`ake a node of it.' }).default('rwm'),
    }),
  )
  .max(128)
  .check(foundBy((devices) => repeated(devices, ({ path, containerPath = path }) => containerPath, 'containerPath')))
  .meta({ description: 'Devices of the node that it has beside the usual ones. A privileged container has them all.', 'x-kubernetes-list-type': 'atomic' });

export const deviceCgroupRulesSchema = z
  .array(grammarString(RULE))
  .max(128)
  .meta({
    description: 'Further devices that it may use once it has a node of them, as cgroups take them: type (`b`, `c`, `a` for all), major and minor number or `*`, and `rwm`: `c 189:* rwm`.',
    'x-kubernetes-list-type': 'atomic',
  });
