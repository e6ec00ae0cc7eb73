import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';
import { type Grammar, matching } from './grammar.ts';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

/** One DNS label (RFC 1123), Kubernetes' IsDNS1123Label. */
export const DNS_LABEL: Grammar = {
  pattern: new RegExp(`^${LABEL}$`),
  maxLength: 63,
  what: 'a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit',
};

/** DNS labels joined by dots, Kubernetes' IsDNS1123Subdomain. */
export const DNS_SUBDOMAIN: Grammar = {
  pattern: new RegExp(`^${LABEL}([.]${LABEL})*$`),
  maxLength: 253,
  what: 'a DNS name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
};

const HOST_LABEL = '[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?';

/** A name that containers are found by: as DNS has it, and with the underscores and capitals that people give to services. */
export const HOST_NAME: Grammar = {
  pattern: new RegExp(`^${HOST_LABEL}([.]${HOST_LABEL})*$`),
  maxLength: 253,
  what: 'a host name: letters, digits, "-", "_" and ".", beginning and ending with a letter, digit or "_"',
};

/** A port's name, Kubernetes' IsValidPortName (IANA service names, RFC 6335); at most one hyphen in a row, and a letter somewhere. */
export const PORT_NAME: Grammar = {
  pattern: /^([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  maxLength: 15,
  what: 'a port name: lower-case letters, digits and single "-", with at least one letter',
};

/** A variable's name, Kubernetes' IsRelaxedEnvVarName: printable ASCII but "=". */
export const ENV_NAME: Grammar = { pattern: /^[ -<>-~]+$/, maxLength: 1024, what: 'a variable name: printable ASCII characters other than "="' };

const NAME_PART: Grammar = {
  pattern: /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
  maxLength: 63,
  what: 'a qualified name: letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, after an optional DNS name and "/"',
};

export const LABEL_VALUE: Grammar = {
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
  maxLength: 63,
  what: 'a label value: letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
};

/** Kubernetes' IsQualifiedName: the key of a label or an annotation. Throws `Invalid`. */
export function parseQualifiedName(text: string): string {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) throw invalid(`the key ${quoted(text)} holds more than one "/"`);
  if (name.length > NAME_PART.maxLength || !NAME_PART.pattern.test(name)) {
    throw invalid(`the key ${quoted(text)} is not ${NAME_PART.what}; at most ${NAME_PART.maxLength} characters`);
  }
  if (parts.length === 2) matching({ ...DNS_SUBDOMAIN, what: `${DNS_SUBDOMAIN.what}, as is wanted before the "/" of a key` }, parts[0] ?? '');
  return text;
}
