import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";

it("names a version", () => {
  const { version } = JSON.parse(readFileSync(new URL("../release.json", import.meta.url)));
  assert.match(version, /^\d+\.\d+\.\d+$/);
});
