import type { Translation } from '../../catalogue';
import type en from '../en/rollout';

export default {} as const satisfies Translation<typeof en>;
