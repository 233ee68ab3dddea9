// One behaviour of the real Anthropic SDK a run: `node anthropic.cjs <behaviour> <url> <prompt>` prints what came of it.
const { Anthropic } = require("@anthropic-ai/sdk");
const { betaZodTool } = require("@anthropic-ai/sdk/helpers/beta/zod");
const { z } = require("zod");

const [behaviour, url, prompt] = process.argv.slice(2);
const client = new Anthropic({ baseURL: url, apiKey: "anything", maxRetries: 0 });
const asked = { model: "sonnet", max_tokens: 2000, messages: [{ role: "user", content: prompt }] };

const behaviours = {
  async create() {
    const message = await client.messages.create({ ...asked, system: [{ type: "text", text: "Be brief." }] });
    return { ...message, requestID: message._request_id };
  },

  async stream() {
    const kinds = [];
    const stream = client.messages.stream({ ...asked, thinking: { type: "adaptive" } });
    stream.on("streamEvent", (event) => kinds.push(event.type));
    return { final: await stream.finalMessage(), kinds };
  },

  async runner() {
    const called = [];
    const upper = betaZodTool({
      name: "upper",
      description: "Writes a text in capital letters",
      inputSchema: z.object({ text: z.string() }),
      run: async ({ text }) => {
        called.push(text);
        return text.toUpperCase();
      },
    });
    const runner = client.beta.messages.toolRunner({ ...asked, tools: [upper], thinking: { type: "adaptive" } });
    return { final: await runner.runUntilDone(), called };
  },

  async count() {
    const { model, messages } = asked;
    const few = await client.messages.countTokens({ model, messages });
    const many = await client.messages.countTokens({ model, messages, system: "word ".repeat(200) });
    return { few: few.input_tokens, many: many.input_tokens };
  },

  async failed() {
    try {
      await client.messages.create({ ...asked, messages: [] });
    } catch (error) {
      const { status, requestID } = error;
      return { name: error.constructor.name, status, requestID, type: error.error.error.type };
    }
  },
};

behaviours[behaviour]().then((value) => console.log(JSON.stringify(value)));
