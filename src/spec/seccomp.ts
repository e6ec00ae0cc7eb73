import { z } from 'zod';
import { checkedBy } from './check.ts';
import { invalid } from './invalid.ts';
import { pathField } from './path-field.ts';

/** As much as all annotations may hold; profiles in use are a tenth of it. */
const PROFILE_MAX_LENGTH = 262_144;

function checkProfile(text: string): string {
  let profile: unknown;
  try {
    profile = JSON.parse(text);
  } catch {
    throw invalid('is not JSON', "give a profile as Docker's: an object with defaultAction and syscalls");
  }
  if (typeof profile !== 'object' || profile === null || !('defaultAction' in profile)) throw invalid('is no seccomp profile: it has no defaultAction', "give one as Docker's: an object with defaultAction and syscalls");
  return text;
}

export const seccompProfileSchema = z
  .strictObject({
    type: z
      .enum(['RuntimeDefault', 'Unconfined', 'Localhost', 'Inline'])
      .meta({
        description:
          "`RuntimeDefault`: what Docker lets containers do by default, with what their capabilities make useful. `Unconfined`: every system call. `Localhost`: the profile in the file `localhostProfile` of the node. `Inline`: the profile `inlineProfile`. A privileged container has no filter but one that is given.",
      })
      .default('RuntimeDefault'),
    localhostProfile: pathField().meta({ description: "With `type: Localhost`, a file of the node with a profile in Docker's JSON format, read when the container is created." }).optional(),
    inlineProfile: z
      .string()
      .max(PROFILE_MAX_LENGTH)
      .check(checkedBy(checkProfile))
      .meta({ description: "With `type: Inline`, a profile in Docker's JSON format." })
      .optional(),
  })
  .check(
    checkedBy((profile) => {
      const { type, localhostProfile, inlineProfile } = profile;
      if ((type === 'Localhost') !== (localhostProfile !== undefined)) throw invalid(type === 'Localhost' ? 'has no localhostProfile' : `has a localhostProfile, and type ${type}`, 'give type Localhost and a localhostProfile together');
      if ((type === 'Inline') !== (inlineProfile !== undefined)) throw invalid(type === 'Inline' ? 'has no inlineProfile' : `has an inlineProfile, and type ${type}`, 'give type Inline and an inlineProfile together');
      return profile;
    }),
  )
  .meta({
    description: 'Which system calls its processes may use.',
    'x-kubernetes-validations': [
      { rule: "has(self.localhostProfile) == (has(self.type) && self.type == 'Localhost')", message: 'type Localhost wants a localhostProfile, and no other type has one' },
      { rule: "has(self.inlineProfile) == (has(self.type) && self.type == 'Inline')", message: 'type Inline wants an inlineProfile, and no other type has one' },
    ],
  });

export type SeccompProfile = z.output<typeof seccompProfileSchema>;
