// Reads the lines of diff_body, lets AWS's own SDK for JavaScript make the
// request for the same data, and compares it with ours: headers, and body
// member by member.  Nothing is sent: the request is caught when it is signed.
//
// Usage: diff_body | node body_oracle.mjs FOLDER-WITH-node_modules
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(resolve(process.argv[2], "package.json"));
const { CloudWatchClient, PutMetricDataCommand } =
  require("@aws-sdk/client-cloudwatch");

// Below this number of requests something is wrong with the test itself.
const LEAST_REQUESTS = 300;

// What every signed request of this SDK has, whatever the protocol.
const OF_SIGNING = new Set([
  "x-amz-date", "x-amz-content-sha256", "x-amz-user-agent",
]);

const client = new CloudWatchClient({
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  disableRequestCompression: true,
});

let caught;
client.middlewareStack.add(
  () => async (args) => {
    caught = args.request;
    return { output: { $metadata: {} }, response: {} };
  },
  { step: "deserialize", priority: "high", name: "catchRequest" });

function headersThatMatter(headers) {
  const found = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (key === "content-type" || key === "content-encoding" ||
        (key.startsWith("x-amz") && !OF_SIGNING.has(key)))
      found[key] = value;
  }
  return found;
}

// What the service takes when a member is absent (API reference).
function withDefaults(body) {
  for (const datum of body.MetricData) {
    datum.Dimensions ??= [];
    datum.Unit ??= "None";
    datum.StorageResolution ??= 60;
    if (datum.Values !== undefined)
      datum.Counts ??= datum.Values.map(() => 1);
  }
  return body;
}

// JSON has one zero; ours may carry the sign of an IEEE one.
function parse(text) {
  return JSON.parse(text, (key, value) => (value === 0 ? 0 : value));
}

const bodyText = (body) =>
  typeof body === "string" ? body : new TextDecoder().decode(body);

let nRequests = 0;
let nData = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { what, json } = JSON.parse(line);
  for (const datum of what.MetricData)
    datum.Timestamp = new Date(datum.Timestamp * 1000);
  caught = undefined;
  await client.send(new PutMetricDataCommand(what));

  try {
    assert.equal(caught.method, "POST");
    assert.equal(caught.path, "/");
    assert.deepEqual(json.headers, headersThatMatter(caught.headers));
    const theirs = withDefaults(parse(bodyText(caught.body)));
    assert.equal(theirs.MetricData.length, what.MetricData.length);
    assert.deepEqual(withDefaults(parse(json.body)), theirs);
  } catch (error) {
    console.error(`request ${nRequests}: ours: ${json.body}`);
    console.error(error.message);
    process.exit(1);
  }
  nRequests++;
  nData += what.MetricData.length;
}

if (nRequests < LEAST_REQUESTS) {
  console.error(`only ${nRequests} requests to compare`);
  process.exit(1);
}
console.log(`AWS JSON: ${nRequests} requests of ${nData} data are those of ` +
            "@aws-sdk/client-cloudwatch");
