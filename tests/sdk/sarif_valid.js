// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a document is SARIF 2.1.0 by the standard's own schema. usage: node sarif_valid.js FILE
// Prints what is wrong, and ends with status 1 then.
const fs = require("fs");
const Ajv = require("ajv");
const schema = require("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");

const ajv = new Ajv({ schemaId: "auto", meta: false, allErrors: true, unknownFormats: "ignore" });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json")); // the schema is written in draft 4
const valid = ajv.compile(schema);
const document = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
if (!valid(document)) {
  for (const e of valid.errors) console.log(`${e.dataPath || "/"}: ${e.message}`);
  process.exit(1);
}
