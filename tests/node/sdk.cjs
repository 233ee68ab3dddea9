// One behaviour of the real openai Node SDK a run: `node sdk.cjs <behaviour> <url> <prompt>` prints what came of it as JSON.
const { OpenAI } = require("openai");
const { zodFunction, zodResponseFormat } = require("openai/helpers/zod");
const { z } = require("zod");

const [behaviour, url, prompt] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "anything" });
const asked = { model: "sonnet", messages: [{ role: "user", content: prompt }] };
const Forecast = z.object({
  city: z.string(),
  sky: z.enum(["rain", "sun"]),
  range: z.object({ low: z.number(), high: z.number() }),
  note: z.string().nullable(),
});
const forecast = { ...asked, response_format: zodResponseFormat(Forecast, "forecast") };

// A tool that answers once it was called twice, so that only calls made side by side come to an end.
function weather(called) {
  let both;
  const calledTwice = new Promise((resolve) => (both = resolve));
  return zodFunction({
    name: "get_weather",
    description: "Weather of a city",
    parameters: z.object({ city: z.string() }),
    function: async ({ city }) => {
      if (called.push(city) === 2) both();
      await calledTwice;
      return `sun in ${city}`;
    },
  });
}

async function ran(runner, called) {
  const text = await runner.finalContent();
  return { text, called, roles: runner.messages.map((message) => message.role), usage: await runner.totalUsage() };
}

async function failed(model) {
  try {
    await client.chat.completions.create({ ...asked, model });
  } catch (error) {
    const { status, code, type, param, requestID } = error;
    return { name: error.constructor.name, status, code, type, param, requestID };
  }
}

const behaviours = {
  async create() {
    const answer = await client.chat.completions.create(asked);
    return { choice: answer.choices[0], usage: answer.usage, requestID: answer._request_id };
  },

  async stream() {
    const stream = await client.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  },

  async helper() {
    const seen = { deltas: [], roles: [] };
    const stream = client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
    stream.on("content.delta", ({ delta }) => seen.deltas.push(delta));
    stream.on("content.done", ({ content }) => (seen.done = content));
    stream.on("message", ({ role }) => seen.roles.push(role));
    const final = await stream.finalChatCompletion();
    return { ...seen, final: final.choices[0].message.content, usage: await stream.totalUsage() };
  },

  async parse() {
    return (await client.chat.completions.parse(forecast)).choices[0].message.parsed;
  },

  async stream_parse() {
    const partial = [];
    const stream = client.chat.completions.stream(forecast);
    stream.on("content.delta", ({ parsed }) => partial.push(structuredClone(parsed)));
    return { partial, parsed: (await stream.finalChatCompletion()).choices[0].message.parsed };
  },

  async run_tools() {
    const called = [];
    return ran(client.chat.completions.runTools({ ...asked, tools: [weather(called)] }), called);
  },

  async run_tools_streaming() {
    const called = [];
    const events = [];
    const runner = client.chat.completions.runTools({ ...asked, tools: [weather(called)], stream: true });
    runner.on("tool_calls.function.arguments.done", ({ index, parsed_arguments }) => events.push([index, parsed_arguments]));
    return { ...(await ran(runner, called)), events };
  },

  failure: () => failed("sonnet"),

  unknown_model: () => failed("gpt-nothing"),

  async abort() {
    const stream = await client.chat.completions.create({ ...asked, stream: true });
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0].delta.content ?? "";
      if (text) stream.controller.abort();
    }
    // Held until Python has seen what the abort did: an ending process would close the connection by itself.
    process.stdin.resume();
    return { text, aborted: stream.controller.signal.aborted };
  },

  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids, one: (await client.models.retrieve("claude-opus-4")).id };
  },
};

behaviours[behaviour]().then((found) => console.log(JSON.stringify(found)));
