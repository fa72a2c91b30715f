// Why a request was refused: a code for programs, words for people, a status for HTTP.

const KINDS = {
  unauthorized: [401, "there is no session, or it has ended"],
  no_such_room: [404, "this room does not exist, or no longer"],
  room_full: [409, "this room is full"],
  not_in_room: [403, "you are not in this room"],
  invalid: [422, "some fields are not right"],
  malformed: [400, "the request is not understood"],
  too_long: [413, "a message has at most 2,000 characters"],
  unavailable: [503, "the chat is unavailable, please try again"],
};

export class Refusal extends Error {
  /**
   * @param {keyof KINDS} code
   * @param {Record<string, string>} [fields] what is wrong with each, as codes
   */
  constructor(code, fields) {
    super(KINDS[code][1]);
    this.code = code;
    this.fields = fields;
  }

  /** The refusal that an error comes to; one that nobody expected is logged. */
  static of(error) {
    if (error instanceof Refusal) return error;
    if (error.status >= 400 && error.status < 500) return new Refusal("malformed");
    console.error(error);
    return new Refusal("unavailable");
  }

  get status() {
    return KINDS[this.code][0];
  }

  toJSON() {
    return { code: this.code, message: this.message, fields: this.fields };
  }
}
