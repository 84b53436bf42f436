// Checks a description of an API, and replies by it. Standard input is JSON: {document, replies: [{name, schema, value}]},
// where `schema` is the name of one of the document's components. One line for each that does not fit; the last is the
// count. tests/system/web_openapi_test.py runs this with what a booted machine says.

import { text } from "node:stream/consumers";
import Ajv2020 from "../../web/node_modules/ajv/dist/2020.js";
import { Validator } from "../../web/node_modules/@seriousme/openapi-schema-validator/index.js";

// Not by readFileSync(0): a pipe that does not block, and is empty for a moment, would be an error.
const { document, replies } = JSON.parse(await text(process.stdin));
let passed = 0, failed = 0;

function count(errors, name) {
	for (const error of errors)
		console.log(`${name}: ${error}`);
	if (errors.length)
		failed++;
	else
		passed++;
}

const { valid, errors } = await new Validator().validate(document);
count(valid ? [] : [].concat(errors).map((e) => JSON.stringify(e)), "the document");

// Strict: a word that no rule knows, or a rule that cannot apply, is an error of the schema.
const ajv = new Ajv2020({ strict: true, strictTypes: "log", strictRequired: false, allErrors: true, allowUnionTypes: true,
	formats: { ipv4: /^\d+\.\d+\.\d+\.\d+$/ } });
const schemas = JSON.parse(JSON.stringify(document.components.schemas).replaceAll("#/components/schemas/", "#/$defs/"));
ajv.addSchema({ $id: "api", $defs: schemas });

for (const name of Object.keys(schemas))
	count(ajv.getSchema(`api#/$defs/${name}`) ? [] : ["no such schema"], `the schema ${name}`);
for (const { name, schema, value } of replies) {
	const check = ajv.getSchema(`api#/$defs/${schema}`);
	count(check(value) ? [] : check.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`), name);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
