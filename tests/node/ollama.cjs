// One behaviour of the real ollama client a run: `node ollama.cjs <behaviour> <url> <prompt>` prints what came of it.
const { Ollama } = require("ollama");

const [behaviour, url, prompt] = process.argv.slice(2);
const client = new Ollama({ host: url });
const asked = { model: "sonnet:latest", messages: [{ role: "user", content: prompt }] };

const behaviours = {
  async chat() {
    return await client.chat({ ...asked, think: true });
  },

  async stream() {
    const texts = [];
    let last;
    for await (const piece of await client.chat({ ...asked, stream: true })) {
      texts.push(piece.message.content);
      last = piece;
    }
    return { text: texts.join(""), last };
  },

  async tools() {
    const parameters = { type: "object", properties: { text: { type: "string" } } };
    const tools = [{ type: "function", function: { name: "upper", description: "Capitals", parameters } }];
    const first = await client.chat({ ...asked, tools });
    const results = first.message.tool_calls.map((call) => ({
      role: "tool",
      tool_name: call.function.name,
      content: call.function.arguments.text.toUpperCase(),
    }));
    const messages = [...asked.messages, first.message, ...results];
    return { text: (await client.chat({ ...asked, messages, tools })).message.content, results };
  },

  async models() {
    const { models } = await client.list();
    return { names: models.map((model) => model.name), shown: await client.show({ model: "sonnet" }) };
  },

  async failed() {
    try {
      await client.chat({ ...asked, model: "llama3" });
    } catch (error) {
      return { message: error.message, status: error.status_code };
    }
  },
};

behaviours[behaviour]().then((value) => console.log(JSON.stringify(value)));
