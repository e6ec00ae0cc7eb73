import { randomInt } from 'node:crypto';

const MANNERS = ['able', 'bold', 'brave', 'bright', 'brisk', 'calm', 'clear', 'deft', 'eager', 'fair', 'fleet', 'free', 'gentle', 'grand', 'hardy', 'jolly', 'keen', 'light', 'lucky', 'merry', 'neat', 'noble', 'proud', 'quick', 'quiet', 'ready', 'salty', 'sound', 'steady', 'stout', 'sturdy', 'sunny', 'swift', 'trim', 'trusty', 'true', 'warm', 'wise'] as const;
const THINGS = ['anchor', 'barge', 'beacon', 'bosun', 'bow', 'breeze', 'brig', 'buoy', 'cable', 'capstan', 'cleat', 'clipper', 'compass', 'cutter', 'deck', 'dinghy', 'dock', 'ferry', 'fender', 'galley', 'harbour', 'helm', 'hull', 'jetty', 'keel', 'ketch', 'lagoon', 'lantern', 'mast', 'pier', 'pilot', 'quay', 'reef', 'rudder', 'sail', 'schooner', 'sextant', 'skiff', 'sloop', 'spar', 'tide', 'tiller', 'tug', 'wharf', 'yawl'] as const;
const TRIES = 6;

/** A name for a container that was given none: two words, and a number behind where these are taken. */
export function randomName(isTaken: (name: string) => boolean): string {
  const words = (): string => `${MANNERS[randomInt(MANNERS.length)]}-${THINGS[randomInt(THINGS.length)]}`;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const name = words();
    if (!isTaken(name)) return name;
  }
  for (;;) {
    const name = `${words()}-${randomInt(1_000_000)}`;
    if (!isTaken(name)) return name;
  }
}
