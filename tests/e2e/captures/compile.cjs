// Kaitai's compiler on a description, given as JSON: `node compile.cjs FOLDER DESCRIPTION LANGUAGE`, where FOLDER has it
// installed. On standard output: the files that it makes, by name, as JSON.
const fs = require("node:fs");
const path = require("node:path");

async function main(folder, description, language) {
  const compiler = require("node:module").createRequire(path.resolve(folder, "package.json"))("kaitai-struct-compiler");
  const files = await compiler.compile(language, JSON.parse(fs.readFileSync(description, "utf8")), null, false);
  process.stdout.write(JSON.stringify(files));
}

main(...process.argv.slice(2));
