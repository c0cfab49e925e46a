// Lines of an answer that goes on, such as a watch or a log.

/** Complete lines as they come, without their ends; several at once if they came at once. */
export async function* lines(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    if (parts.length > 0) {
      yield parts;
    }
  }
  if (rest !== "") {
    yield [rest];
  }
}
