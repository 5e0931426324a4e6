/** The personas of the sample. */
import type { Persona, PersonRef } from '../bindings';

export const personas: readonly Persona[] = [
  { principal: 'alice', name: 'Alice Moreau', roles: ['qa'], passphrase: 'copper-otter-12' },
  { principal: 'jonas', name: 'Jonas Weber', roles: ['release-manager'], passphrase: 'quiet-harbor-7' },
  { principal: 'ben', name: 'Ben Okafor', roles: ['security'], passphrase: 'amber-fjord-31' },
  { principal: 'chiara', name: 'Chiara Rossi', roles: ['product-owner'], passphrase: 'paper-lantern-4' },
  { principal: 'ewa', name: 'Dr. Ewa Lind', roles: ['safety'], passphrase: 'north-willow-88' },
  { principal: 'jo', name: 'Jo Park', roles: ['operations'], passphrase: 'slow-meadow-19' },
  { principal: 'ravi', name: 'Ravi Nair', roles: ['qa'], passphrase: 'silver-kettle-5' },
  { principal: 'mduval', name: 'Mireille Duval', roles: ['process-owner'], passphrase: 'green-anchor-2' },
  { principal: 'tomasz', name: 'Tomasz Zieliński', roles: ['practitioner'], passphrase: 'ivory-comet-63' },
];

export const person = (principal: string): PersonRef => ({
  principal,
  name: personas.find((one) => one.principal === principal)?.name ?? principal,
});
