export async function ask(prompt: string) {
  const body = { model: 'llama3.1:8b', prompt, stream: false, options: { num_ctx: 8192 } };
  const url = `${base}/api/generate`;
  return fetch(url, { method: 'POST', body: JSON.stringify(body) });
}
