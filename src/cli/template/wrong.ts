import { MooringError } from '../../lib/errors.ts';

/** The error for a template that is none, or asks for what is not there. */
export function wrong(why: string): MooringError {
  return new MooringError('Invalid', `--format: ${why}`, { fix: "write a Go template such as '{{.Id}}', or take the JSON apart with: -o json | jq" });
}
