/** @file What a client is told when a request cannot be answered, as the object that OpenAI's clients read. */

interface ApiErrorParts {
  readonly status: number;
  readonly message: string;
  readonly code: string;
  /** The parameter that is wrong, such as `messages[0].content`. */
  readonly param?: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly param: string | null;

  constructor({ status, message, code, param }: ApiErrorParts, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.param = param ?? null;
  }

  get body() {
    const type = this.status >= 500 ? 'server_error' : 'invalid_request_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } } as const;
  }
}

export function badRequest(param: string, message: string, code = 'invalid_value'): ApiError {
  return new ApiError({ status: 400, message: `${param}: ${message}`, code, param });
}

/** A bug or a broken machine: the client may try again, the server's log has the stack. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: 500, message: error instanceof Error ? error.message : String(error), code: 'internal_error' }, { cause: error });
}
