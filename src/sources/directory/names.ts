const SPEC_FILE = /\.(?:yaml|yml|json)$/;

/**
 * Whether a file of this name is read for documents. By suffix, so that what editors leave beside a file
 * (`web.yaml~`, `.web.yaml.swp`, `web.yaml.bak`, `web.yaml-bak`, `#web.yaml#`, `4913`) is none.
 */
export function isSpecFile(name: string): boolean {
  return SPEC_FILE.test(name) && !isHidden(name) && !name.startsWith('#') && !name.startsWith('~');
}

/** Dotfiles and dot folders: `.git`, an editor's swap files, and the `..data` folders of ConfigMap volumes, which are read through their links only. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}
