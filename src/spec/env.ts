import { z } from 'zod';
import { listed } from '../lib/text.ts';
import { checkedBy, foundBy } from './check.ts';
import { CONFIG_KEY_PATTERN } from './config-data.ts';
import { optionalField, sourceNameField } from './config-source.ts';
import { grammarString, kernelText } from './grammar.ts';
import { invalid } from './invalid.ts';
import { ENV_NAME } from './kubernetes-names.ts';

const keyRefSchema = (what: string) =>
  z.strictObject({
    name: sourceNameField(what),
    key: grammarString({ pattern: CONFIG_KEY_PATTERN, maxLength: 253, what: 'a key: letters, digits, "-", "_" and "."' }).meta({ pattern: '^[-._a-zA-Z0-9]+$', description: 'The key whose value it is.' }),
    optional: optionalField('leave the variable out'),
  });

const SOURCES = ['configMapKeyRef', 'secretKeyRef'] as const;

const valueFromSchema = z
  .strictObject({
    configMapKeyRef: keyRefSchema('ConfigMap').meta({ description: 'A text of a ConfigMap. Give this or `secretKeyRef`.' }).optional(),
    secretKeyRef: keyRefSchema('Secret').meta({ description: 'A value of a Secret. Give this or `configMapKeyRef`.' }).optional(),
  })
  .check(
    checkedBy((from) => {
      const given = SOURCES.filter((source) => from[source] !== undefined);
      if (given.length > 1) throw invalid(`has ${listed(given)}`, 'keep one of them');
      if (given.length === 0) throw invalid('has neither configMapKeyRef nor secretKeyRef', 'add one of them: {name: …, key: …}');
      return from;
    }),
  )
  .meta({ 'x-kubernetes-validations': [{ rule: 'has(self.configMapKeyRef) != has(self.secretKeyRef)', message: 'exactly one of configMapKeyRef and secretKeyRef is needed' }] });

/** One variable, with its value or with where that is found. */
export const envVarSchema = z
  .strictObject({
    name: grammarString(ENV_NAME).meta({ description: 'Name of the variable: printable ASCII characters other than `=`. Each name once.' }),
    value: kernelText().meta({ description: 'Its value, taken as it stands: nothing in it is expanded. Put numbers and booleans in quotes.' }).default(''),
    valueFrom: valueFromSchema.meta({ description: 'Where its value is found, in place of `value`. When that changes, the container is made anew.' }).optional(),
  })
  .check(foundBy(({ value, valueFrom }) => (valueFrom !== undefined && value !== '' ? [{ path: ['valueFrom'], message: 'stands beside value', fix: 'keep one of the two' }] : [])))
  .meta({ 'x-kubernetes-validations': [{ rule: "!has(self.valueFrom) || !has(self.value) || self.value == ''", message: 'value and valueFrom exclude each other' }] });

const refSchema = (what: string) => z.strictObject({ name: sourceNameField(what), optional: optionalField('go on without it') });

const REFS = ['configMapRef', 'secretRef'] as const;

/** Every key of a ConfigMap or a Secret as a variable. */
export const envFromSchema = z
  .array(
    z
      .strictObject({
        prefix: grammarString({ ...ENV_NAME, pattern: /^[ -<>-~]*$/ }).meta({ description: 'Put before each name.' }).default(''),
        configMapRef: refSchema('ConfigMap').meta({ description: 'Every text of a ConfigMap. Give this or `secretRef`.' }).optional(),
        secretRef: refSchema('Secret').meta({ description: 'Every value of a Secret. Give this or `configMapRef`.' }).optional(),
      })
      .check(
        checkedBy((from) => {
          const given = REFS.filter((source) => from[source] !== undefined);
          if (given.length > 1) throw invalid(`has ${listed(given)}`, 'divide it in two');
          if (given.length === 0) throw invalid('has neither configMapRef nor secretRef', 'add one of them: {name: …}');
          return from;
        }),
      )
      .meta({ 'x-kubernetes-validations': [{ rule: 'has(self.configMapRef) != has(self.secretRef)', message: 'exactly one of configMapRef and secretRef is needed' }] }),
  )
  .max(64)
  .meta({ description: "Variables from all keys of ConfigMaps and Secrets, over those of the image and below `env`; a later one over an earlier one.", 'x-kubernetes-list-type': 'atomic' });

export type EnvVar = z.output<typeof envVarSchema>;
