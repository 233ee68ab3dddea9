// One behaviour of the AI SDK a run, with its OpenAI provider as it is by default (the Responses API):
// `node ai.cjs <behaviour> <url> <prompt>` prints what came of it as JSON.
const { pathToFileURL } = require("url");
const { z } = require("zod");

const [behaviour, url, prompt] = process.argv.slice(2);
// They are ES modules, which an older Node cannot `require`, and `import` by itself does not look in NODE_PATH.
const loaded = (name) => import(pathToFileURL(require.resolve(name)).href);
let generateText, streamText, tool, Output, stepCountIs, asked;

async function load() {
  ({ generateText, streamText, tool, Output, stepCountIs } = await loaded("ai"));
  const { createOpenAI } = await loaded("@ai-sdk/openai");
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: "anything" });
  asked = { model: openai("sonnet"), prompt, maxRetries: 0 };
}

function weather(called) {
  return tool({
    description: "Weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      called.push(city);
      return `sun in ${city}`;
    },
  });
}

const behaviours = {
  async text() {
    const { text, finishReason, usage } = await generateText(asked);
    return { text, finishReason, usage };
  },

  async stream() {
    const deltas = [];
    const result = streamText(asked);
    for await (const delta of result.textStream) deltas.push(delta);
    return { deltas, finishReason: await result.finishReason };
  },

  // Its own tool loop: in the second step it names the items of the first by their ids.
  async tools() {
    const called = [];
    const { text, steps } = await generateText({
      ...asked,
      tools: { get_weather: weather(called) },
      stopWhen: stepCountIs(4),
    });
    return { text, called, steps: steps.length };
  },

  async tools_without_a_store() {
    const called = [];
    const { text, steps } = await generateText({
      ...asked,
      tools: { get_weather: weather(called) },
      stopWhen: stepCountIs(4),
      providerOptions: { openai: { store: false, reasoningSummary: "auto", include: ["reasoning.encrypted_content"] } },
    });
    return { text, called, steps: steps.length };
  },

  async object() {
    const { output } = await generateText({
      ...asked,
      output: Output.object({ schema: z.object({ city: z.string(), high: z.number() }) }),
    });
    return output;
  },
};

load().then(() => behaviours[behaviour]()).then((found) => console.log(JSON.stringify(found)));
