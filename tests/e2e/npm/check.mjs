// Holds Kubernetes objects against the models that npm has of them. Standard input: a JSON list of
// objects. Standard output: a JSON list of what is wrong. Argument: the folder with node_modules.
//
// The models' own validators know types, required fields and closed lists of values, but let unknown
// fields pass; the TypeScript compiler knows unknown fields, for it refuses them in a literal.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const require = createRequire(join(folder, "package.json"));
const ts = require("typescript");

function moduleOf(object) {
  const version = object.apiVersion;
  if (version.startsWith("monitoring.coreos.com/"))
    return `@kubernetes-models/prometheus-operator/${version}`;
  return `kubernetes-models/${version}`;
}

function invalid(object) {
  const model = require(moduleOf(object))[object.kind];
  if (model === undefined) return [`${object.kind} of ${object.apiVersion}: there is no such model`];
  try {
    new model(object).validate();
    return [];
  } catch (error) {
    return [`${object.kind} ${object.metadata.name}: ${error.message}`];
  }
}

function unknown(objects) {
  const name = join(folder, "objects.ts");
  const text = objects.map((object, i) =>
    `import { I${object.kind} as K${i} } from "${moduleOf(object)}";\n` +
    `export const o${i}: K${i} = ${JSON.stringify(object, null, 1)};\n`).join("");
  const options = { noEmit: true, strict: true, skipLibCheck: true, types: [],
                    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS,
                    moduleResolution: ts.ModuleResolutionKind.Node10 };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.getCurrentDirectory = () => folder;
  host.fileExists = (path) => path === name || fileExists(path);
  host.getSourceFile = (path, ...rest) => path === name
    ? ts.createSourceFile(path, text, options.target) : getSourceFile.call(host, path, ...rest);
  const program = ts.createProgram([name], options, host);
  return ts.getPreEmitDiagnostics(program)
    .map((found) => ts.flattenDiagnosticMessageText(found.messageText, "; "));
}

const objects = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify([...objects.flatMap(invalid), ...unknown(objects)]));
