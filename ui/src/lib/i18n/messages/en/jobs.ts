export default {
  verify: 'Verifying',
  exportBundle: 'Exporting',
  backUp: 'Backing up',
  restore: 'Restoring',
  report: 'Writing a report',
  connectorTest: 'Testing a connector',
  dispatch: 'Dispatching',
  reconcile: 'Looking for a dispatch',
  observeEvidence: 'Fetching evidence',
  createSample: 'Building the sample',
  openLedger: 'Opening a ledger',
  worker: 'Working',
} as const;
