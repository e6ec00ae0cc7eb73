import { z } from 'zod';
import { grammarString, kernelText } from './grammar.ts';

/** Names that a shell could expand, as ARG has them. */
const ARGUMENT_NAME = { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/, maxLength: 255, what: 'a name of letters, digits and _' };

export const buildSchema = z
  .strictObject({
    context: kernelText()
      .min(1)
      .max(4095)
      .meta({ description: "A folder of the node with the files of the build. A relative path begins at the folder of the document's file; a document that was sent by a command wants an absolute one." }),
    dockerfile: kernelText().min(1).max(4095).meta({ description: 'The Dockerfile, a path below `context`.' }).default('Dockerfile'),
    target: kernelText().min(1).max(255).meta({ description: 'The stage to build. Without it, the last one.' }).optional(),
    args: z
      .array(z.strictObject({ name: grammarString(ARGUMENT_NAME).meta({ description: 'Name of the ARG.' }), value: kernelText().meta({ description: 'Its value.' }).default('') }))
      .max(256)
      .meta({ description: "Values of the Dockerfile's ARGs.", 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .default([]),
  })
  .meta({
    description: 'Build the image on the node, from a Dockerfile, under the name in `image`. When files of the context change, it is built again, and a new container takes the place of the old one if the image is another; while a build fails, the old one runs on.',
  });

export type BuildSpec = z.output<typeof buildSchema>;
