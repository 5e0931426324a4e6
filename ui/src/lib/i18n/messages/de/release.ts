import type { Translation } from '../../catalogue';
import type en from '../en/release';

export default {} as const satisfies Translation<typeof en>;
