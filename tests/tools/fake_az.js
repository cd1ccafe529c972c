#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// Plays `az` for one network security group, strictly: what Azure would refuse ends with status 1. The group is the file $FAKE_AZ_GROUP.
const fs = require("fs");
const words = process.argv.slice(2);
const fail = (why) => { console.error(`az: ${why}: ${words.join(" ")}`); process.exit(1); };
const file = process.env.FAKE_AZ_GROUP || fail("no group");
const group = JSON.parse(fs.readFileSync(file));
const verb = [];
while (words.length && !words[0].startsWith("--")) verb.push(words.shift());
const options = {};
while (words.length) {
  const name = words.shift();
  if (!/^--[a-z-]+$/.test(name) || name in options) fail(`option ${name}`);
  options[name] = [];
  while (words.length && !words[0].startsWith("--")) options[name].push(words.shift());
}
const one = (name) => (options[name] && options[name].length === 1 ? options[name][0] : fail(`${name} takes one value`));
if (verb.join(" ") === "account set") process.exit(one("--subscription") ? 0 : 1);
if (verb.slice(0, 3).join(" ") !== "network nsg rule") fail("unknown command");
if (one("--nsg-name") !== group.name || one("--resource-group") !== "rg") fail("another group");
const name = one("--name");
const at = group.securityRules.findIndex((r) => r.name === name);
const lists = { "--source-address-prefixes": "sourceAddressPrefix", "--destination-address-prefixes": "destinationAddressPrefix",
  "--source-port-ranges": "sourcePortRange", "--destination-port-ranges": "destinationPortRange" };
const singles = { "--priority": "priority", "--direction": "direction", "--access": "access", "--protocol": "protocol", "--description": "description" };
const rule = at < 0 ? { name } : { ...group.securityRules[at] };
for (const o of Object.keys(options)) {
  if (o in lists) {
    const many = lists[o].replace(/Prefix$/, "Prefixes").replace(/Range$/, "Ranges");
    delete rule[lists[o]]; delete rule[many];
    if (options[o].length === 1) rule[lists[o]] = options[o][0]; else rule[many] = options[o];
  } else if (o in singles) rule[singles[o]] = o === "--priority" ? Number(one(o)) : one(o);
  else if (!["--resource-group", "--nsg-name", "--name"].includes(o)) fail(`unknown option ${o}`);
}
if (verb[3] === "delete") group.securityRules.splice(at, at < 0 ? 0 : 1);
else if (verb[3] === "create" || (verb[3] === "update" && at >= 0)) {
  if (!(rule.priority >= 100 && rule.priority <= 4096)) fail("priority");
  if ((rule.description || "").length > 140) fail("description too long");
  if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$/.test(name)) fail("name");
  if (group.securityRules.some((r, i) => i !== at && r.priority === rule.priority && r.direction === rule.direction)) fail("SecurityRuleConflict");
  if (at < 0) group.securityRules.push(rule); else group.securityRules[at] = rule;
} else fail("no such rule");
fs.writeFileSync(file, JSON.stringify(group));
