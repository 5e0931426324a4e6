// Serves one artifact on one loopback port.
//
//   node server.mjs --artifact FILE --port N [--instance NAME] [--record FILE] [--lifetime-seconds N]
//
// The digest it reports is that of the artifact file it was given, computed here, and it refuses to start when
// its own code is not the code inside that artifact.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { quote } from "./quote.mjs";
import { Slots } from "./slots.mjs";

const { values: options } = parseArgs({
  options: {
    artifact: { type: "string" },
    port: { type: "string" },
    instance: { type: "string", default: "instance" },
    record: { type: "string" },
    "lifetime-seconds": { type: "string" },
  },
});

const bytes = readFileSync(options.artifact);
const digest = createHash("sha256").update(bytes).digest("hex");
const bundle = JSON.parse(bytes);
const here = dirname(fileURLToPath(import.meta.url));
for (const [name, content] of Object.entries(bundle.files)) {
  if (!readFileSync(join(here, name)).equals(Buffer.from(content, "base64"))) {
    throw new Error(`${name} is not the file inside the artifact`);
  }
}
const { version, fault } = JSON.parse(Buffer.from(bundle.files["release.json"], "base64"));
const slots = new Slots(fault?.kind === "leak" ? fault.slots : 64, { leaks: fault?.kind === "leak" });
const started = new Date().toISOString();
let requests = 0;
let errors = 0;

const routes = {
  "/health": () => ({ status: "ok", requests, errors }),
  "/version": () => ({ version, commit: bundle.commit, artifact: digest, instance: options.instance, started }),
  "/quote": (query) =>
    quote({
      net: Number(query.get("net")),
      rate: Number(query.get("rate")),
      quantity: Number(query.get("quantity") ?? 1),
    }),
};

function reply(response, code, body) {
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store", connection: "close" });
  response.end(`${JSON.stringify(body)}\n`);
}

const server = createServer((request, response) => {
  requests += 1;
  const url = new URL(request.url, "http://localhost");
  const route = request.method === "GET" ? routes[url.pathname] : undefined;
  if (!route) return reply(response, 404, { error: "no such page" });
  const slot = slots.take();
  if (!slot) {
    errors += 1;
    return reply(response, 500, { status: "failing", error: "no request slot is free", requests, errors });
  }
  try {
    reply(response, 200, route(url.searchParams));
  } catch (error) {
    if (!(error instanceof RangeError)) errors += 1;
    reply(response, error instanceof RangeError ? 400 : 500, { error: error.message });
  } finally {
    slot.release();
  }
});

const stop = () => server.close(() => process.exit(0));
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// A test that was killed cannot stop what it started: its directory goes, or the time runs out.
if (options.record) {
  setInterval(() => existsSync(dirname(options.record)) || process.exit(0), 2_000).unref();
}
if (options["lifetime-seconds"]) {
  setTimeout(() => process.exit(0), Number(options["lifetime-seconds"]) * 1_000).unref();
}
server.listen(Number(options.port), "127.0.0.1");
