export async function chat(prompt, num_ctx = 4096) {
  const answer = await fetch("http://localhost:11434/api/chat", {
    method: "POST",
    body: JSON.stringify({
      model: "llama3.1:8b",
      messages: [{ role: "user", content: prompt }],
      options: { num_ctx: 4096, context_length: 4096 },
    }),
  });
  return (await answer.json()).message.content; // not `num_ctx: 1`
}

export const pull = (name) => Bun.spawn(["ollama", "pull", name, "--quiet"]);
