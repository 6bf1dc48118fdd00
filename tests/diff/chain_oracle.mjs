// What AWS's own SDK for JavaScript finds in the cases of chain_cases.py, one
// line of JSON each.
//
// Usage: node chain_oracle.mjs FOLDER-WITH-node_modules <cases
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(resolve(process.argv[2], "package.json"));
const { CloudWatchClient, PutMetricDataCommand } =
  require("@aws-sdk/client-cloudwatch");
const { defaultProvider } = require("@aws-sdk/credential-provider-node");
const { getDefaultRoleAssumer } = createRequire(
  require.resolve("@aws-sdk/credential-provider-node"))(
  "@aws-sdk/nested-clients/sts");

console.warn = () => {};
// It asks for the source of a role before it has seen what else is wrong, and
// leaves that promise alone.
process.on("unhandledRejection", () => {});
const { PATH } = process.env;

function enter(test) {
  const { env, options } = test;
  for (const name of Object.keys(process.env))
    delete process.env[name];
  Object.assign(process.env, env, { PATH, AWS_MAX_ATTEMPTS: "1" });
  if (options.config_file)
    process.env.AWS_CONFIG_FILE = options.config_file;
  if (options.credentials_file)
    process.env.AWS_SHARED_CREDENTIALS_FILE = options.credentials_file;
  // What the plugin's options say of endpoints holds for STS, too.
  if (options.use_fips !== undefined)
    process.env.AWS_USE_FIPS_ENDPOINT = String(options.use_fips === 1);
  if (options.use_dual_stack !== undefined)
    process.env.AWS_USE_DUALSTACK_ENDPOINT =
      String(options.use_dual_stack === 1);
  // Where it looks for endpoints it heeds this only, not its option.
  if (profileOf(test))
    process.env.AWS_PROFILE = profileOf(test);
}

// A profile or a credentials file of the options count as a profile that is
// given to the SDK itself.
function profileOf({ options, profile }) {
  return options.profile ?? (options.credentials_file ? profile : undefined);
}

function clientOf(test) {
  const { options } = test;
  const given = {
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    profile: profileOf(test),
    region: options.region,
    endpoint: options.endpoint,
  };
  for (const [name, value] of Object.entries(given))
    if (value === undefined)
      delete given[name];
  return new CloudWatchClient(given);
}

async function findCredentials(test) {
  const { options } = test;
  const profile = profileOf(test);
  const client = clientOf(test);
  const parentClientConfig = { region: client.config.region, profile };
  let found;
  if (options.access_key_id)
    found = { accessKeyId: options.access_key_id,
              secretAccessKey: options.secret_access_key,
              sessionToken: options.session_token };
  else
    found = await defaultProvider({ profile, maxRetries: 0, timeout: 1000 })(
      { callerClientConfig: parentClientConfig });
  if (options.role_arn)
    found = await getDefaultRoleAssumer({ parentClientConfig })(found, {
      RoleArn: options.role_arn,
      RoleSessionName: options.role_session_name ?? "made-up",
      ExternalId: options.external_id,
      DurationSeconds: options.role_duration_s,
    });
  return { key: found.accessKeyId, secret: found.secretAccessKey,
           token: found.sessionToken ?? "" };
}

async function findPlace(test) {
  const client = clientOf(test);
  let caught;
  client.middlewareStack.add(
    () => async (args) => {
      caught = args.request;
      return { output: { $metadata: {} }, response: {} };
    },
    { step: "deserialize", priority: "high", name: "catchRequest" });
  await client.send(new PutMetricDataCommand({
    Namespace: "n", MetricData: [{ MetricName: "m", Value: 1 }],
  }));
  const port = caught.port ? `:${caught.port}` : "";
  return {
    region: await client.config.region(),
    endpoint: `${caught.protocol}//${caught.hostname}${port}${caught.path}`,
  };
}

async function attempt(find, test) {
  try {
    return await find(test);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const test = JSON.parse(line);
  enter(test);
  const credentials = await attempt(findCredentials, test);
  const place = await attempt(findPlace, test);
  process.stdout.write(JSON.stringify({ credentials, place }) + "\n");
}
