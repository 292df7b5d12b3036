// Reads and writes an item as LibSecretPersistence of MSAL Extensions for Node
// does.
//
//   peer.cjs save|load LOCATION SERVICE ACCOUNT
//
// What is saved comes from standard input; what is loaded goes to standard
// output.
"use strict";
const { readFileSync } = require("node:fs");
const { LibSecretPersistence } = require("@azure/msal-node-extensions");

async function main([verb, location, service, account]) {
  const persistence = await LibSecretPersistence.create(location, service, account);
  if (verb === "save") {
    await persistence.save(readFileSync(0, "utf8"));
    return;
  }
  const text = await persistence.load();
  if (text === null) throw new Error("not found");
  process.stdout.write(text);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
