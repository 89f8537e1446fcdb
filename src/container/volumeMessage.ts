/** What to tell the user whose outputs volume the system refused to write. */
export function volumeMessage(outputsDir: string, reason: string): string {
  return `The outputs volume "${outputsDir}" cannot be written (${reason}). Make room or make it writable, then train again.`;
}
