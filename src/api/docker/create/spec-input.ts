import type { z } from 'zod';
import type { containerSpecSchema } from '../../../spec/container.ts';

/** A part of a container's spec before it is checked and defaulted. */
export type SpecInput = Partial<z.input<typeof containerSpecSchema>>;
