// Compares our endpoints of CloudWatch and STS, and the region that STS is
// signed for, with those that the endpoint resolvers of AWS's own SDK for
// JavaScript give.  Nothing is sent.
//
// Usage: node endpoint_oracle.mjs FOLDER-WITH-node_modules regions
//          prints regions: those of the SDK's partition data, made-up ones that
//          fit the partitions' patterns, and some that nearly do
//        diff_endpoint | node endpoint_oracle.mjs FOLDER-WITH-node_modules
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(resolve(process.argv[2], "package.json"));
const { CloudWatchClient } = require("@aws-sdk/client-cloudwatch");
// STS is asked as the SDK's own credential chain asks it.
const ofChain = createRequire(
  require.resolve("@aws-sdk/credential-provider-node"));
const { STSClient } = ofChain("@aws-sdk/nested-clients/sts");

// Below these numbers something is wrong with the test itself.
const LEAST_PARTITIONS = 8;
const LEAST_REGIONS = 150;

// Where we differ on purpose; each must be seen, or it is out of date.
const INTENDED = [
  {
    // aws-global, aws-cn-global, ...: the partition data's names for services
    // that have no regions.  CloudWatch has, and is not there: no data can be
    // sent to such a region, so we know no partition by these names.
    why: "the pseudo region of a partition, which CloudWatch is not in",
    fits: (line) => /^aws(-[a-z-]+)?-global$/.test(line.region),
    seen: 0,
  },
];

// ---- regions ----------------------------------------------------------------

// The data are no export of the package; this file of it holds nothing else.
async function readPartitions() {
  const client = createRequire(
    require.resolve("@aws-sdk/client-cloudwatch"))
    .resolve("@aws-sdk/core/client");
  const file = resolve(dirname(client),
    "../../../dist-es/submodules/client/util-endpoints/lib/aws/partitions.js");
  const text = readFileSync(file, "utf8");
  const module = await import(
    `data:text/javascript,${encodeURIComponent(text)}`);
  return module.partitionsInfo.partitions;
}

// What may stand before the word and the number of a region, by the pattern
// of its partition: "^(us|eu)\-\w+\-\d+$" gives "us-" and "eu-".
function prefixesOf(partition) {
  const pattern = partition.regionRegex.replaceAll("\\-", "-");
  const match = /^\^(.*)\\w\+-\\d\+\$$/.exec(pattern);
  assert.ok(match, `an unknown kind of pattern: ${partition.regionRegex}`);
  const group = /^(.*)\(([^()]*)\)(.*)$/.exec(match[1]);
  if (group === null)
    return [match[1]];
  return group[2].split("|").map((word) => group[1] + word + group[3]);
}

async function regions() {
  const partitions = await readPartitions();
  assert.ok(partitions.length >= LEAST_PARTITIONS,
    `${partitions.length} partitions`);
  const found = new Set(["moon-1", "mars", "1", "us", "moon-south-1"]);
  for (const partition of partitions) {
    for (const region of Object.keys(partition.regions))
      found.add(region);
    for (const prefix of prefixesOf(partition))
      for (const end of ["moon-7", "moon2-42", "7-7", "moon", "7", "moon-7a",
        "moon-base-7", "b-moon-7", "moon--7", "MOON-7"])
        found.add(prefix + end);
  }
  console.log([...found].join("\n"));
}

// ---- the comparison ---------------------------------------------------------

const settings = {
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
};
const cloudwatch = new CloudWatchClient(settings).config.endpointProvider;
const sts = new STSClient(settings).config.endpointProvider;

function ask(line) {
  const question = {
    Region: line.region,
    UseFIPS: line.fips,
    UseDualStack: line.dualStack,
  };
  const global = sts({ ...question, UseGlobalEndpoint: line.legacy });
  const scheme = global.properties?.authSchemes?.[0];
  return {
    endpoint: cloudwatch(question).url.href,
    sts: global.url.href,
    stsRegion: scheme?.signingRegion ?? line.region,
  };
}

function read(text) {
  const [region, fips, dualStack, legacy, endpoint, stsUrl, stsRegion] =
    text.split("\t");
  return {
    region,
    fips: fips === "1",
    dualStack: dualStack === "1",
    legacy: legacy === "1",
    ours: { endpoint, sts: stsUrl, stsRegion },
  };
}

async function compare() {
  const seen = new Set();
  for await (const text of createInterface({ input: process.stdin })) {
    const line = read(text);
    const theirs = ask(line);
    seen.add(line.region);
    const intended = INTENDED.find((difference) => difference.fits(line));
    if (intended === undefined)
      assert.deepEqual(line.ours, theirs, text);
    else if (JSON.stringify(line.ours) !== JSON.stringify(theirs))
      intended.seen++;
  }
  assert.ok(seen.size >= LEAST_REGIONS, `only ${seen.size} regions`);
  for (const { why, seen: times } of INTENDED) {
    assert.ok(times > 0, `no longer a difference: ${why}`);
    console.log(`diff_endpoint: ${times} intended differences: ${why}`);
  }
  console.log(`diff_endpoint: ${seen.size} regions compared with the SDK`);
}

await (process.argv[3] === "regions" ? regions() : compare());
