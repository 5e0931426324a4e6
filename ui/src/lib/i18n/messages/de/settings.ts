import type { Translation } from '../../catalogue';
import type en from '../en/settings';

export default {} as const satisfies Translation<typeof en>;
