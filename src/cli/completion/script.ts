import type { Command } from 'commander';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { completionTree } from './tree.ts';
import { zshScript } from './zsh.ts';

/** A completion script, generated from the tree of commands. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', program: Command): string {
  const tree = completionTree(program);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree);
}
