// One behaviour of the openai Node SDK's Responses API a run: `node responses.cjs <behaviour> <url> <prompt>` prints
// what came of it as JSON.
const { OpenAI } = require("openai");
const { zodTextFormat, zodResponsesFunction } = require("openai/helpers/zod");
const { z } = require("zod");

const [behaviour, url, prompt] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "anything", maxRetries: 0 });
const asked = { model: "sonnet", input: prompt };
const Forecast = z.object({ city: z.string(), high: z.number(), note: z.string().nullable() });
const look = zodResponsesFunction({
  name: "get_weather",
  description: "Weather of a city",
  parameters: z.object({ city: z.string() }),
});

const behaviours = {
  async create() {
    const answer = await client.responses.create(asked);
    return { id: answer.id, text: answer.output_text, status: answer.status, usage: answer.usage };
  },

  async stream() {
    const types = [];
    const stream = client.responses.stream(asked);
    const deltas = [];
    stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
    for await (const event of stream) types.push(event.type);
    const final = await stream.finalResponse();
    return { types, deltas, text: final.output_text, output: final.output };
  },

  async parse() {
    const answer = await client.responses.parse({ ...asked, text: { format: zodTextFormat(Forecast, "forecast") } });
    return answer.output_parsed;
  },

  // A tool loop that sends everything again, as clients without a store do.
  async tools() {
    const input = [{ role: "user", content: prompt }];
    const first = await client.responses.parse({ model: "sonnet", input, tools: [look], store: false });
    const calls = first.output.filter((item) => item.type === "function_call");
    input.push(...first.output);
    for (const { call_id, parsed_arguments } of calls)
      input.push({ type: "function_call_output", call_id, output: `sun in ${parsed_arguments.city}` });
    const second = await client.responses.create({ model: "sonnet", input, tools: [look], store: false });
    return { called: calls.map((call) => call.parsed_arguments.city), text: second.output_text };
  },

  async go_on() {
    const first = await client.responses.create(asked);
    const second = await client.responses.create({
      model: "sonnet",
      input: 'And?\nscripted: {"text": "Still."}',
      previous_response_id: first.id,
    });
    const items = [];
    for await (const item of client.responses.inputItems.list(first.id)) items.push(item.content[0].text);
    const kept = await client.responses.retrieve(second.id);
    await client.responses.delete(second.id);
    return { previous: second.previous_response_id === first.id, text: kept.output_text, items };
  },

  async failure() {
    try {
      await client.responses.create({ ...asked, previous_response_id: "resp_unknown" });
    } catch (error) {
      const { status, code, type, param, message } = error;
      return { name: error.constructor.name, status, code, type, param, message };
    }
  },
};

behaviours[behaviour]().then((found) => console.log(JSON.stringify(found)));
