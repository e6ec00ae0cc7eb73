import { FUNCTIONS, isTrue } from './functions.ts';
import { type Node, type Operand, parseTemplate, type Pipeline } from './parse.ts';
import { printed } from './print.ts';
import { wrong } from './wrong.ts';

interface Scope {
  readonly dot: unknown;
  /** With their `$`; `$` itself is the whole. */
  readonly variables: ReadonlyMap<string, unknown>;
}

/** The text that a Go template makes of a value. Throws `Invalid` for what is no template, or names what is not there. */
export function renderTemplate(template: string): (value: unknown) => string {
  const nodes = parseTemplate(template);
  return (value) => render(nodes, { dot: value, variables: new Map([['$', value]]) });
}

function render(nodes: readonly Node[], outer: Scope): string {
  let scope = outer;
  let text = '';
  for (const node of nodes) {
    if (node.kind === 'text') text += node.text;
    else if (node.kind === 'print') {
      const value = evaluate(node.value, scope);
      if (node.value.names.length > 0) scope = withNames(scope, node.value.names, [value]);
      else if (value === undefined) throw wrong(`there is no ${nameOf(node.value)}`);
      else text += printed(value);
    } else if (node.kind === 'range') text += renderRange(node, scope);
    else {
      const value = evaluate(node.value, scope);
      const inner = withNames(scope, node.value.names, [value]);
      text += isTrue(value) ? render(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner) : render(node.otherwise, scope);
    }
  }
  return text;
}

function renderRange({ value, body, otherwise }: Node & { kind: 'range' }, scope: Scope): string {
  const collection = evaluate(value, scope) ?? [];
  if (typeof collection !== 'object') throw wrong(`range over ${JSON.stringify(collection)}: it holds nothing`);
  const isList = Array.isArray(collection);
  // Maps are gone through in the order of their keys, as Go does.
  const entries: [string | number, unknown][] = isList ? collection.map((item: unknown, index) => [index, item]) : Object.entries(collection).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return render(otherwise, scope);
  return entries.map(([key, item]) => render(body, { ...withNames(scope, value.names, value.names.length > 1 ? [key, item] : [item]), dot: item })).join('');
}

function withNames(scope: Scope, names: readonly string[], values: readonly unknown[]): Scope {
  return names.length === 0 ? scope : { ...scope, variables: new Map([...scope.variables, ...names.map((name, index): [string, unknown] => [name, values[index]])]) };
}

function evaluate({ commands }: Pipeline, scope: Scope): unknown {
  let piped: unknown[] = [];
  for (const [first, ...rest] of commands) {
    if (first === undefined) throw wrong('there is nothing to do');
    const given = [...rest.map((operand) => operandValue(operand, scope)), ...piped];
    piped = [apply(first, given, scope)];
  }
  return piped[0];
}

function apply(operand: Operand, given: readonly unknown[], scope: Scope): unknown {
  if (operand.kind === 'function') {
    const known = Object.hasOwn(FUNCTIONS, operand.name) ? FUNCTIONS[operand.name] : undefined;
    if (known === undefined) throw wrong(`there is no function "${operand.name}"`);
    return known(...given);
  }
  const value = operandValue(operand, scope, false);
  // A method of the row, such as `.Label "key"`.
  if (typeof value === 'function') return (value as (...values: unknown[]) => unknown)(...given);
  if (given.length > 0) throw wrong('a field takes no arguments');
  return value;
}

function operandValue(operand: Operand, scope: Scope, calls = true): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'function') return apply(operand, [], scope);
  const start = operand.of === 'dot' ? scope.dot : 'name' in operand.of ? variable(operand.of.name, scope) : evaluate(operand.of, scope);
  const value = operand.path.reduce<unknown>((holder, name, index) => fieldOf(holder, name, operand.path.slice(0, index)), start);
  return calls && typeof value === 'function' ? (value as () => unknown)() : value;
}

function variable(name: string, { variables }: Scope): unknown {
  if (!variables.has(name)) throw wrong(`there is no variable ${name}`);
  return variables.get(name);
}

/** Go's names of fields are not always those of the JSON (`ID`, `Id`): case does not matter where no field has it exactly. */
function fieldOf(holder: unknown, name: string, path: readonly string[]): unknown {
  if (typeof holder !== 'object' || holder === null) throw wrong(`there is no .${[...path, name].join('.')}, since .${path.join('.')} holds nothing`);
  const fields = holder as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(fields, name)) return fields[name];
  const key = Object.keys(fields).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : fields[key];
}

function nameOf({ commands }: Pipeline): string {
  const operand = commands.at(-1)?.[0];
  return operand?.kind === 'fields' ? `${operand.of !== 'dot' && 'name' in operand.of ? operand.of.name : ''}.${operand.path.join('.')}` : 'such value';
}
