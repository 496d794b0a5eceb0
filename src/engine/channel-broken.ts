/** What both ends of the channel throw where the other one makes no sense. */

/** The other end sent what this end would never send. */
export class ChannelBroken extends Error {
  override readonly name = "ChannelBroken";
}
