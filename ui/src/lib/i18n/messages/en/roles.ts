/** Roles that have a usual name; a policy may name others, which are shown as they are written. */
export default {
  'release-manager': 'Release manager',
  'process-owner': 'Process owner',
  'emergency-authority': 'Emergency authority',
  auditor: 'Auditor',
  practitioner: 'Practitioner',
  qa: 'QA',
  security: 'Security',
  'product-owner': 'Product owner',
  safety: 'Safety',
  operations: 'Operations',
  quality: 'Quality',
  qp: 'Qualified person',
} as const;
