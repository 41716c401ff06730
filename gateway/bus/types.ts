/** The gateway's view of MQTT, embedded or external broker alike. */
export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

export interface PublishOptions {
  readonly retain?: boolean;
  /** Given up long before anything else when the link falls behind, which makes room for what matters more. */
  readonly yields?: boolean;
}

export interface Bus {
  readonly connected: boolean;
  /** Handlers run in the order of arrival, one call a message, synchronously. Kept across reconnects. */
  subscribe(filter: string, handler: (message: BusMessage) => void): Promise<void>;
  /**
   * QoS 1. `false` at once when the link is down or far behind: nothing is ever queued for later, and what was under
   * way when the link broke is dropped, so that no unlock leaves late.
   */
  publish(topic: string, payload: string, options?: PublishOptions): boolean;
  /** Called at each change; `why` is a sentence when the link is down. */
  onLink(listener: (up: boolean, why: string) => void): void;
  /** Deletes what the broker retains below the filter (stale commands) and says how much it was. Nobody is handed it. */
  clearRetained?(filter: string): Promise<number>;
  close(): Promise<void>;
}
