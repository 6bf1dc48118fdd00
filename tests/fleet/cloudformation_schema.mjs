// Prints, as JSON, the published schema of the resource types that are named:
// {type: {properties: {name: [type, required]}, attributes: [...]}}, where a type
// is a word, [element], {"map": element}, {"union": [...]} or an object of
// properties.  FLEET_MODULES is where npm put the packages of package.json.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.FLEET_MODULES}/`);
const { loadAwsServiceSpecSync } = require('@aws-cdk/aws-service-spec');
const db = loadAwsServiceSpecSync();

function kind(type, depth) {
  switch (type.type) {
    case 'array': return [kind(type.element, depth)];
    case 'map': return { map: kind(type.element, depth) };
    case 'union': return { union: type.types.map((one) => kind(one, depth)) };
    case 'ref': return depth > 9 ? 'json'
      : { properties: properties(db.get('typeDefinition', type.reference.$ref), depth + 1) };
    default: return type.type;
  }
}

function properties(entity, depth) {
  return Object.fromEntries(Object.entries(entity.properties).map(
    ([name, one]) => [name, [kind(one.type, depth), Boolean(one.required)]]));
}

const result = {};
for (const type of process.argv.slice(2)) {
  const found = db.lookup('resource', 'cloudFormationType', 'equals', type);
  result[type] = found.length === 1 && {
    properties: properties(found.only(), 0),
    attributes: Object.keys(found.only().attributes),
  };
}
console.log(JSON.stringify(result));
