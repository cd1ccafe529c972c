// SPDX-License-Identifier: GPL-2.0-or-later
// What a Bicep grammar that is not ours reads in an export. usage: node bicep_reads.js EXPORT.bicep
// Prints one line of JSON: the resources with their names, types and bodies. A text that the grammar does not take, or an expression that is
// none of those that an export needs, fails.
const fs = require("fs");
const { Parser, Language } = require("web-tree-sitter");

const escapes = { n: "\n", r: "\r", t: "\t", "'": "'", "\\": "\\", $: "$" };

function unescaped(text) {
  const hex = /^\\u\{([0-9a-fA-F]+)\}$/.exec(text);
  if (hex) return String.fromCodePoint(parseInt(hex[1], 16));
  if (text.length !== 2 || !(text[1] in escapes)) throw new Error(`'${text}' is no escape of Bicep`);
  return escapes[text[1]];
}

function string(node) {
  // What stands between the children is text too: the grammar names only runs of it, and takes the escaped "${" for text.
  const plain = (t) => t.replace(/\\\$/g, "$");
  let out = "", at = node.startIndex + 1;
  const source = node.tree.rootNode.text;
  for (const part of node.namedChildren) {
    out += plain(source.slice(at, part.startIndex));
    if (part.type === "escape_sequence") out += unescaped(part.text);
    else if (part.type === "string_content") out += plain(part.text);
    else throw new Error(`a text holds ${part.type}: ${part.text}`);
    at = part.endIndex;
  }
  out += plain(source.slice(at, node.endIndex - 1));
  if (/\$\{/.test(node.text.replace(/\\./g, "_"))) throw new Error(`a text is interpolated: ${node.text}`);
  return out;
}

function value(node) {
  switch (node.type) {
    case "string": return string(node);
    case "number": return Number(node.text);
    case "boolean": return node.text === "true";
    case "null": return null;
    case "array": return node.namedChildren.map(value);
    case "object": return Object.fromEntries(node.namedChildren.map((p) => {
      if (p.type !== "object_property") throw new Error(`an object holds ${p.type}`);
      const [key, of] = p.namedChildren;
      return [key.type === "string" ? string(key) : key.text, value(of)];
    }));
    default:
      if (node.text === "resourceGroup().location") return { expression: node.text };
      throw new Error(`${node.type} is none of what an export needs: ${node.text}`);
  }
}

(async () => {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(require.resolve("tree-sitter-bicep/tree-sitter-bicep.wasm")));
  const root = parser.parse(fs.readFileSync(process.argv[2], "utf8")).rootNode;
  if (root.hasError) throw new Error("the grammar does not take it");
  const out = [];
  for (const node of root.namedChildren) {
    if (node.type === "comment") continue;
    if (node.type !== "resource_declaration") throw new Error(`${node.type} at the top`);
    const [symbol, type, body] = node.namedChildren;
    out.push({ symbol: symbol.text, type: string(type), ...value(body) });
  }
  if (new Set(out.map((r) => r.symbol)).size !== out.length) throw new Error("two resources have one symbol");
  console.log(JSON.stringify(out));
})().catch((e) => { console.error(e.message); process.exit(1); });
