import type { Translation } from '../../catalogue';
import type en from '../en/freezes';

export default {} as const satisfies Translation<typeof en>;
