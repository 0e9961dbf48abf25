"use strict";
const { basename } = require("node:path");
const os = require("node:os");
const eslintScope = require("eslint-scope");

const prefix = "cjs";
module.exports = {
  use: () => [prefix, basename("/a/b.txt"), typeof os.cpus, typeof eslintScope.analyze],
  requires: () => require("node:os").EOL,
};
