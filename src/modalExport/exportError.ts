/** An app cannot be written; `message` names what stands in the way and what to do. */
export class ModalExportError extends Error {
  override readonly name = 'ModalExportError';
}
