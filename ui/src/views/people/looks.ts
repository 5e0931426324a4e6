/** How the states of people, keys and devices look. */
import type { IconName } from '$lib/components/icons';
import type { Tone } from '$lib/design/states';
import type { DeviceState, KeyState, PersonState } from '$lib/ipc';

type Look = { readonly tone: Tone; readonly icon: IconName };

export const personLooks: Record<PersonState, Look> = {
  active: { tone: 'go', icon: 'check' },
  waitsToAccept: { tone: 'wait', icon: 'clock' },
  noRole: { tone: 'wait', icon: 'minus' },
  keyEnded: { tone: 'nogo', icon: 'key-off' },
  keyExpired: { tone: 'stale', icon: 'hourglass' },
};
export const keyLooks: Record<KeyState, Look> = {
  inUse: { tone: 'go', icon: 'check' },
  expired: { tone: 'stale', icon: 'hourglass' },
  rotated: { tone: 'wait', icon: 'refresh' },
  revoked: { tone: 'nogo', icon: 'key-off' },
};
export const deviceLooks: Record<DeviceState, Look> = {
  inUse: { tone: 'go', icon: 'check' },
  waitsForSecond: { tone: 'wait', icon: 'clock' },
  revoked: { tone: 'nogo', icon: 'key-off' },
};
