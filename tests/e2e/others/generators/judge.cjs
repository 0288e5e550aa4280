// What AsyncAPI's own parser finds wrong in a document, and how Modelina names the models that it makes of it: JSON on
// standard output. It runs in a folder where both are installed: `node judge.cjs DOCUMENT`.
const path = require("node:path");
const installed = require("node:module").createRequire(path.join(process.cwd(), "package.json"));
const { Parser, fromFile } = installed("@asyncapi/parser");
const { TypeScriptGenerator } = installed("@asyncapi/modelina");
const WORSE_THAN_A_HINT = 1; // severities: 0 error, 1 warning, 2 information, 3 hint

async function main(file) {
  const { document, diagnostics } = await fromFile(new Parser(), file).parse();
  const wrong = diagnostics.filter((one) => one.severity <= WORSE_THAN_A_HINT).map((one) => one.message);
  const models = document ? await new TypeScriptGenerator().generate(document) : [];
  process.stdout.write(JSON.stringify({ wrong, models: models.map((one) => one.modelName) }));
}

main(process.argv[2]);
