/** `safe.*` says what is known to be safe; a code of Rust gets a sentence here where its own words are not enough. */
export default {
  'safe.nothingHappened': 'Nothing happened; nothing was recorded.',
  'safe.ledgerUnchanged': 'The ledger is as it was.',
  'safe.recorded': 'What you did is recorded in the ledger.',
  'safe.unknown': 'It is not known whether it took effect. Look before you try again.',
  'safe.readOnly': 'The ledger is open for reading only, so nothing can be lost.',
} as const;
