// Runs behaviours of the scripts beside it, one after another, so that their libraries are loaded once. Each line of
// stdin is a script, a behaviour, a URL and a prompt as JSON; each line of stdout is what came of it.
const path = require("node:path");
const readline = require("node:readline");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [script, ...words] = JSON.parse(line);
  const file = path.join(__dirname, script);
  process.argv = [process.argv[0], file, ...words];
  delete require.cache[file];
  require(file);
});
