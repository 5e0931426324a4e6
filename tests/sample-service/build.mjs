// Packs the service into one artifact file and prints its SHA-256.
//
//   node build.mjs --source DIR --commit COMMIT --store DIR
//
// The artifact is one JSON document with sorted names and no times, so the same source and commit give the same
// bytes on every machine. It lands in the store under its digest.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const FILES = ["quote.mjs", "release.json", "server.mjs", "slots.mjs"];

const { values: options } = parseArgs({
  options: { source: { type: "string", default: "." }, commit: { type: "string" }, store: { type: "string" } },
});
if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(options.commit ?? "") || !options.store) {
  console.error("build: --commit COMMIT (full hexadecimal id) and --store DIR are needed");
  process.exit(2);
}

const files = Object.fromEntries(FILES.map((name) => [name, readFileSync(join(options.source, name)).toString("base64")]));
const { version } = JSON.parse(readFileSync(join(options.source, "release.json")));
const artifact = `${JSON.stringify({ commit: options.commit, files, format: "sample-service@v1", version })}\n`;
const digest = createHash("sha256").update(artifact).digest("hex");

mkdirSync(options.store, { recursive: true });
const partial = join(options.store, `.${digest}.${process.pid}`);
writeFileSync(partial, artifact);
renameSync(partial, join(options.store, digest));
console.log(digest);
