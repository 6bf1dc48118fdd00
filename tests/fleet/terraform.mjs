// Says what Terraform would ask the provider for.  Each line of the standard
// input is {"folder": ..., "variables": {...}}; a line of JSON answers it, with
// {"error": ...} if there is one.  The folder's files are parsed with HashiCorp's
// parser, which takes so long to start that one process serves all.  Only what
// contrib/aws/terraform uses is evaluated; anything else is an error.  Addresses
// that only AWS knows are "(address)".
import fs from 'node:fs';
import readline from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.FLEET_MODULES}/`);
const { parse, getExpressionAst } = require('@cdktf/hcl2json');
const fail = (message) => { throw new Error(message); };

// Of the line in hand.
let folder, given, tree;

// ---- the files, as one ----
async function read() {
  tree = {};
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.tf')).sort()) {
    const parsed = await parse(file, fs.readFileSync(`${folder}/${file}`, 'utf8'));
    for (const [block, content] of Object.entries(parsed)) {
      if (Array.isArray(content)) {
        (tree[block] ??= []).push(...content);
        continue;
      }
      for (const [label, inner] of Object.entries(content)) {
        const kind = ((tree[block] ??= {})[label] ??= Array.isArray(inner) ? [] : {});
        if (Array.isArray(inner)) kind.push(...inner);
        else Object.assign(kind, inner);
      }
    }
  }
}

// ---- expressions ----
const functions = {
  concat: (...lists) => lists.flat(),
  contains: (list, one) => list.includes(one),
  join: (between, list) => list.join(between),
  length: (one) => (Array.isArray(one) ? one : Object.keys(one)).length,
  templatefile: (path, names) => fs.readFileSync(path, 'utf8').replace(
    /\$\{(\w+)\}/g, (_, name) => names[name] ?? fail(`${path}: no ${name}`)),
};
const operators = {
  equal: (a, b) => a === b, notEqual: (a, b) => a !== b,
  logicalAnd: (a, b) => a && b, greaterThan: (a, b) => a > b,
};

async function lookUp(path, scope) {
  const [first, second, third] = path;
  if (first in scope) return path.slice(1).reduce((value, key) => value[key], scope[first]);
  if (first === 'var') {
    const variable = (tree.variable[second] ?? fail(`no variable ${second}`))[0];
    return given[second] ?? variable.default ?? fail(`${second} is not given`);
  }
  if (first === 'local') return evaluate((tree.locals.find((one) => second in one))[second]);
  if (first === 'path') return folder;
  const [block, type, name] = first === 'data' ? path : ['resource', first, second];
  const found = tree[block][type]?.[name]?.[0] ?? fail(`no ${path.join('.')}`);
  if (block === 'resource' && !third) return times(found, `${type}.${name}`);
  return `(${[type, name, path.at(-1)].join('.')})`;
}

// A resource as the list that [*] makes of it.
async function times(found, address) {
  const count = 'count' in found ? await evaluate(found.count) : 1;
  return Array.from({ length: count }, () => address);
}

async function node(ast, scope) {
  const children = ast.children.filter((child) => child.type !== '');
  const all = (list) => Promise.all(list.map((child) => node(child, scope)));
  const of = async (text) => node(await getExpressionAst('in.tf', text), scope);
  switch (ast.type) {
    case 'literalValue':
      if (ast.meta.type === 'string') return JSON.parse(`"${ast.meta.value}"`);
      return JSON.parse(ast.meta.value);
    case 'template': return (await all(children)).join('');
    case 'templateWrap': return node(children[0], scope);
    case 'tuple': return all(children);
    case 'scopeTraversal':
      return lookUp(ast.meta.traversal.map((part) => part.segment), scope);
    case 'conditional':
      return of(await of(ast.meta.conditionExpression)
        ? ast.meta.trueExpression : ast.meta.falseExpression);
    case 'binaryOp': {
      const operator = operators[ast.meta.operator] ?? fail(ast.meta.operator);
      return operator(await of(ast.meta.lhsExpression), await of(ast.meta.rhsExpression));
    }
    case 'function': {
      const called = functions[ast.meta.name] ?? fail(ast.meta.name);
      return called(...await all(children));
    }
    case 'object': {
      const pairs = Object.entries(ast.meta.items);
      return Object.fromEntries(await Promise.all(
        pairs.map(async ([key, text]) => [key, await of(text)])));
    }
    case 'for': {
      const collection = await of(ast.meta.collectionExpression);
      return Promise.all(Object.entries(collection).map(async ([key, value]) => node(
        await getExpressionAst('in.tf', ast.meta.valueExpression),
        { ...scope, [ast.meta.keyVar]: key, [ast.meta.valVar]: value })));
    }
    case 'splat': {
      const attribute = ast.meta.eachExpression.replace('[*].', '');
      return (await of(ast.meta.sourceExpression)).map((one) => `(${one}.${attribute})`);
    }
    default: return fail(`cannot evaluate ${ast.type}: ${ast.meta?.value}`);
  }
}

async function evaluate(value, scope = {}) {
  if (typeof value === 'string') {
    if (!value.includes('${')) return value;
    return node(await getExpressionAst('in.tf', `"${value}"`), scope);
  }
  if (Array.isArray(value)) return Promise.all(value.map((one) => evaluate(one, scope)));
  if (value === null || typeof value !== 'object') return value;
  const result = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'dynamic') Object.assign(result, await dynamic(inner, scope));
    else result[key] = await evaluate(inner, scope);
  }
  return result;
}

// dynamic blocks: as many as for_each has members.
async function dynamic(blocks, scope) {
  const result = {};
  for (const [name, [block]] of Object.entries(blocks)) {
    const members = Object.entries(await evaluate(block.for_each, scope));
    result[name] = await Promise.all(members.map(([key, value]) => evaluate(
      block.content[0], { ...scope, [name]: { key, value } })));
  }
  return result;
}

// ---- what is asked for ----
async function checkVariables() {
  for (const name of Object.keys(given)) {
    if (!tree.variable[name]) fail(`no variable ${name}`);
  }
  for (const [name, [variable]] of Object.entries(tree.variable)) {
    for (const { condition, error_message: message } of variable.validation ?? []) {
      if (!await evaluate(condition)) fail(`${name}: ${message}`);
    }
  }
}

async function make() {
  await read();
  await checkVariables();
  const result = { resource: {}, data: {}, output: {} };
  for (const block of ['resource', 'data']) {
    for (const [type, names] of Object.entries(tree[block])) {
      for (const [name, [found]] of Object.entries(names)) {
        const { count, ...body } = found;
        if ((await times(found, name)).length) {
          (result[block][type] ??= {})[name] = await evaluate(body);
        }
      }
    }
  }
  for (const [name, [output]] of Object.entries(tree.output)) {
    result.output[name] = await evaluate(output.value);
  }
  return result;
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  ({ folder, variables: given } = JSON.parse(line));
  const answer = await make().catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
