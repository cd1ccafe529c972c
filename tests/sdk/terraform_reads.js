// SPDX-License-Identifier: GPL-2.0-or-later
// What HashiCorp's own HCL parser (compiled to WebAssembly) reads in an export. usage: node terraform_reads.js EXPORT.tf
// Prints one line of JSON: the rules in Azure's words, the new groups, the variables that are declared, and those that are used.
const fs = require("fs");
const { parse } = require("@cdktf/hcl2json");

const used = new Set(), referred = new Set();

// The parser gives templates as they stand: "${var.x}" is a reference, "$${" is a text.
function text(v) {
  if (Array.isArray(v)) return v.map(text);
  if (typeof v !== "string") return v;
  const group = /^\$\{azurerm_network_security_group\.([A-Za-z0-9_-]+)\.name\}$/.exec(v);
  if (group) {
    referred.add(group[1]);
    return { group: group[1] };
  }
  const variable = /^\$\{var\.([A-Za-z0-9_]+)\}$/.exec(v);
  if (variable) {
    used.add(variable[1]);
    return { variable: variable[1] };
  }
  if (/(^|[^$])\$\{/.test(v) || /(^|[^%])%\{/.test(v)) throw new Error(`a text is a template: ${v}`);
  return v.replace(/\$\$\{/g, "${").replace(/%%\{/g, "%{");
}

const camel = (s) => s.replace(/_([a-z])/g, (_, c) => c.toUpperCase());
const argument = new Set(["name", "description", "priority", "direction", "access", "protocol", "source_port_range", "source_port_ranges", "destination_port_range",
  "destination_port_ranges", "source_address_prefix", "source_address_prefixes", "destination_address_prefix", "destination_address_prefixes",
  "resource_group_name", "network_security_group_name"]);

(async () => {
  const doc = await parse("export.tf", fs.readFileSync(process.argv[2], "utf8"));
  const { azurerm_network_security_rule: rules = {}, azurerm_network_security_group: groups = {}, ...others } = doc.resource || {};
  if (Object.keys(others).length) throw new Error(`resources that nobody asked for: ${Object.keys(others)}`);
  const one = ([label, list]) => {
    if (list.length !== 1) throw new Error(`two resources have the label ${label}`);
    return Object.fromEntries(Object.entries(list[0]).map(([k, v]) => [camel(k), text(v)]));
  };
  for (const list of Object.values(rules))
    for (const k of Object.keys(list[0])) if (!argument.has(k)) throw new Error(`azurerm_network_security_rule has no argument ${k}`);
  for (const label of referred) if (!groups[label]) throw new Error(`the group ${label} is referred to, and not there`);
  console.log(JSON.stringify({ rules: Object.entries(rules).map(one), groups: Object.entries(groups).map(one), declared: Object.keys(doc.variable || {}).sort(),
    used: [...used].sort() }));
})().catch((e) => { console.error(e.message); process.exit(1); });
