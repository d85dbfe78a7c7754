// Calls the emulator's control API over HTTP.

export class ControlError extends Error {
  name = 'ControlError';

  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The controls of one organization, below its address. */
export class Controls {
  #address;

  constructor(address) {
    this.#address = address;
  }

  /** Sends a request with an optional JSON body, and returns the parsed JSON of the response. */
  async call(method, path, body) {
    const response = await fetch(`${this.#address}/_emulator${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new ControlError(response.status, message(text));
    return text === '' ? undefined : JSON.parse(text);
  }
}

function message(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text;
  }
}
