import type { Translation } from '../../catalogue';
import type en from '../en/audit';

export default {} as const satisfies Translation<typeof en>;
