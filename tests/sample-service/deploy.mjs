// Deploys an artifact, named by its digest, to the instances of one environment and wave.
//
//   node deploy.mjs deploy --state DIR --store DIR --artifact SHA256 --environment E --wave W [--kind K]
//   node deploy.mjs status --state DIR
//   node deploy.mjs stop   --state DIR
//
// With `--kind rollback` the instances of the waves before W get the artifact too: all that W may have reached.
// DIR/instances.json says, in the order of the waves, which instances there are: {"production": {"segment": [{"name": "p1", "port": 8081}]}}.
// DIR/deployments.jsonl gets two lines for each instance: `begun`, then `up` or `failed`. A process is stopped
// only by the id recorded for its instance, and only while its start time is the recorded one.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: "string" },
    store: { type: "string" },
    artifact: { type: "string" },
    environment: { type: "string" },
    wave: { type: "string" },
    kind: { type: "string", default: "deploy" },
    "request-id": { type: "string", default: "" },
    "wait-seconds": { type: "string", default: "20" },
    "lifetime-seconds": { type: "string", default: "1800" },
  },
});

function fail(message, code = 1) {
  console.error(`deploy: ${message}`);
  process.exit(code);
}

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.partial`, `${JSON.stringify(value)}\n`);
  renameSync(`${path}.partial`, path);
}

const recordOf = (name) => join(options.state, "instances", name, "current.json");

/** Says when a process began, in whatever words the system has for it; null when it is gone. */
function startOf(pid) {
  try {
    if (existsSync("/proc/self/stat")) {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
      return fields[0] === "Z" ? null : fields[19];
    }
    if (process.platform === "win32") {
      process.kill(pid, 0);
      return "unknown";
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
  } catch {
    return null;
  }
}

const isRunning = ({ pid, start }) => startOf(pid) === start;

async function stopInstance(name) {
  const path = recordOf(name);
  if (!existsSync(path)) return;
  const record = JSON.parse(readFileSync(path));
  for (const signal of ["SIGTERM", "SIGKILL"]) {
    if (!isRunning(record)) break;
    process.kill(record.pid, signal);
    for (let waited = 0; waited < 3_000 && isRunning(record); waited += 20) await sleep(20);
  }
  if (isRunning(record)) fail(`process ${record.pid} of ${name} does not stop`);
  rmSync(path);
}

async function answers(port, artifact, deadline) {
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/version`, { signal: AbortSignal.timeout(2_000) });
      if (response.ok && (await response.json()).artifact === artifact) return true;
    } catch {
      // Not listening yet.
    }
    await sleep(50);
  }
  return false;
}

async function deployInstance({ name, port }, artifact, bytes) {
  const bundle = JSON.parse(bytes);
  const home = join(options.state, "instances", name);
  const code = join(home, artifact);
  mkdirSync(code, { recursive: true });
  for (const [file, content] of Object.entries(bundle.files)) writeFileSync(join(code, file), Buffer.from(content, "base64"));
  const file = join(code, "artifact");
  writeFileSync(file, bytes);

  const note = (result) => {
    const line = {
      time: new Date().toISOString(), environment: options.environment, wave: options.wave, kind: options.kind, instance: name, port,
      artifact, version: bundle.version, commit: bundle.commit, request_id: options["request-id"], result,
    };
    appendFileSync(join(options.state, "deployments.jsonl"), `${JSON.stringify(line)}\n`);
  };

  note("begun");
  await stopInstance(name);
  const log = openSync(join(home, "log"), "a");
  const child = spawn(
    process.execPath,
    [join(code, "server.mjs"), "--artifact", file, "--port", String(port), "--instance", name,
      "--record", recordOf(name), "--lifetime-seconds", options["lifetime-seconds"]],
    { cwd: code, detached: true, stdio: ["ignore", log, log], env: { PATH: process.env.PATH ?? "" } },
  );
  child.unref();
  if (child.pid === undefined) fail(`${name} could not be started`);
  const record = { pid: child.pid, start: startOf(child.pid), port, artifact, version: bundle.version, commit: bundle.commit };
  writeJson(recordOf(name), record);
  const up = await answers(port, artifact, Date.now() + Number(options["wait-seconds"]) * 1_000);
  note(up ? "up" : "failed");
  if (!up) fail(`${name} does not answer on port ${port} with ${artifact}`);
  console.log(`${name}: ${bundle.version} (${artifact}) answers on port ${port}`);
}

const commands = {
  async deploy() {
    if (!/^[0-9a-f]{64}$/.test(options.artifact ?? "")) fail("--artifact SHA256 is needed", 2);
    const waves = Object.entries(JSON.parse(readFileSync(join(options.state, "instances.json")))[options.environment] ?? {});
    const last = waves.findIndex(([name]) => name === options.wave);
    const reached = waves.slice(options.kind === "rollback" ? 0 : Math.max(last, 0), last + 1);
    const instances = reached.flatMap(([, instances]) => instances);
    if (!instances.length) fail(`no instances for ${options.environment}, wave ${options.wave}`);
    const bytes = readFileSync(join(options.store, options.artifact));
    if (createHash("sha256").update(bytes).digest("hex") !== options.artifact) fail("the stored artifact is not the one its name says");
    for (const instance of instances) await deployInstance(instance, options.artifact, bytes);
  },
  async status() {
    const home = join(options.state, "instances");
    for (const name of existsSync(home) ? readdirSync(home).sort() : []) {
      if (!existsSync(recordOf(name))) continue;
      const record = JSON.parse(readFileSync(recordOf(name)));
      console.log(JSON.stringify({ instance: name, running: isRunning(record), ...record }));
    }
  },
  async stop() {
    const home = join(options.state, "instances");
    for (const name of existsSync(home) ? readdirSync(home) : []) await stopInstance(name);
  },
};

const command = commands[positionals[0]];
if (!command || !options.state) fail("deploy, status or stop, and --state DIR", 2);
await command();
