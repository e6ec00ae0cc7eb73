import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderList } from '../../../src/cli/template/list-format.ts';
import { renderTemplate } from '../../../src/cli/template/template.ts';

const value = { Id: 'abc', Name: '/web', State: { Running: true, Pid: 42, Health: null }, Config: { Env: ['A=b', 'C=d'], Labels: { z: 'w', x: 'y' }, Cmd: ['sleep', '9'] }, Mounts: [{ Type: 'bind', Source: '/tmp' }, { Type: 'volume', Source: '/v' }] };

/** Each output is what "docker inspect -f" of 28.2 printed for the same value. */
const CASES: readonly (readonly [template: string, output: string])[] = [
  ['{{.Name}}', '/web'],
  ['{{.ID}}', 'abc'],
  ['{{.State.Running}} {{.State.Pid | printf "%05d"}}', 'true 00042'],
  ['{{json .Config.Env}}', '["A=b","C=d"]'],
  ['{{range .Config.Env}}{{println .}}{{end}}', 'A=b\nC=d\n'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}', 'x=y;z=w;'],
  ['{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{$m.Type}}{{end}}', 'bind,volume'],
  ['{{index .Config.Labels "x"}}|{{index .Config.Labels "nope"}}|{{index .Config.Env 1}}', 'y||C=d'],
  ['{{(index .Mounts 0).Source}}', '/tmp'],
  ['{{if .State.Health}}well{{else if .State.Running}}runs{{else}}no{{end}}', 'runs'],
  ['{{with .Config}}{{.Cmd}}{{end}}{{with .State.Health}}x{{else}}none{{end}}', '[sleep 9]none'],
  ['{{.Config.Labels}}', 'map[x:y z:w]'],
  ['{{join .Config.Cmd ","}} {{len .Mounts}} {{upper .Id}} {{truncate .Id 2}} {{title "a b"}} {{split "a:b" ":"}}', 'sleep,9 2 ABC ab A B [a b]'],
  ['{{ .Id -}}   {{- .Id }}{{/* nothing */}}{{"\\t"}}{{`{{}}`}}', 'abcabc\t{{}}'],
  ['{{printf "%-6s|%4d|%q|%v%%" .Id 7 "x" true}}', 'abc   |   7|"x"|true%'],
  ['{{and .State.Running (eq .Id "abc")}} {{or .State.Health "else"}} {{not .State.Running}} {{ge 3 2}} {{ne 1 2}}', 'true else false true true'],
  ['{{$x := .Id}}{{$x}}{{range .Config.Cmd}}{{$.Id}}{{end}}', 'abcabcabc'],
];

test('templates give what Docker gives', () => {
  for (const [template, output] of CASES) assert.equal(renderTemplate(template)(value), output, template);
});

test('what is no template, or asks for what is not there, is told of in words', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{{.Nope}}', /there is no \.Nope/],
    ['{{.State.Health.Status}}', /no \.State\.Health\.Status, since \.State\.Health holds nothing/],
    ['{{foo}}', /no function "foo"/],
    ['{{.Name', /no \}\}/],
    ['{{if .Name}}x', /\{\{if\}\} has no \{\{end\}\}/],
    ['{{end}}', /closes nothing/],
    ['{{define "x"}}{{end}}', /not done here/],
    ['{{}}', /nothing between/],
    ['{{range .Id}}{{end}}', /holds nothing/],
    ['{{$y}}', /no variable \$y/],
    ['{{index .Mounts 7}}', /beyond the 2/],
    ['{{"open}}', /can't be read|no \}\}/],
    ['{{(.Id}}', /\( has no \)/],
  ];
  for (const [template, message] of wrong) assert.throws(() => renderTemplate(template)(value), (error: Error & { code?: string; fix?: string }) => error.code === 'Invalid' && message.test(error.message) && /jq/.test(error.fix ?? ''), template);
});

test('lists: a table under its header, JSON a line, a template a line, only IDs', () => {
  const format = { headers: { ID: 'CONTAINER ID', Names: 'NAMES' }, usual: 'table {{.ID}}\t{{.Names}}', quiet: '{{.ID}}' };
  const rows = [{ ID: 'a', Names: 'web', Label: (key: string) => `of ${key}` }, { ID: 'bbbbbbbbbbbb', Names: 'db', Label: () => '' }];
  assert.equal(renderList(rows, format, { format: undefined }), 'CONTAINER ID   NAMES\na              web\nbbbbbbbbbbbb   db\n');
  assert.equal(renderList(rows, format, { format: 'table {{.Names}}\\t{{.ID}}' }), 'NAMES     CONTAINER ID\nweb       a\ndb        bbbbbbbbbbbb\n');
  assert.equal(renderList(rows, format, { format: 'json' }), '{"ID":"a","Names":"web"}\n{"ID":"bbbbbbbbbbbb","Names":"db"}\n');
  assert.equal(renderList(rows, format, { format: '{{.Names}}: {{.Label "x"}}' }), 'web: of x\ndb: \n');
  assert.equal(renderList(rows, format, { format: undefined, isQuiet: true }), 'a\nbbbbbbbbbbbb\n');
  assert.equal(renderList([], format, { format: undefined }), 'CONTAINER ID   NAMES\n');
});
