/**
 * Opens a dialog over the page, and returns what closes it. `onleft` is called as it closes: its own event comes a task later, when a
 * reader may have asked for it again.
 */
export function modal(dialog: HTMLDialogElement, onleft: () => void): () => void {
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    dialog.close();
    onleft();
  };
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    leave();
  });
  dialog.addEventListener('close', leave);
  dialog.showModal();
  return leave;
}
