export { ParleyClient } from "./client";
export type { ClientOptions } from "./client";
export type { FeedHandlers, FeedStart } from "./feed";
export type { Outgoing, SendState } from "./outbox";
export { back_off, judge_close } from "./retry";
export type { StopReason } from "./retry";
export { ConnectRefused, new_message_id } from "./types";
export type { ChatMessage, ConnectionState, ServerError } from "./types";
