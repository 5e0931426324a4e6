import type { Translation } from '../../catalogue';
import type en from '../en/inbox';

export default {} as const satisfies Translation<typeof en>;
