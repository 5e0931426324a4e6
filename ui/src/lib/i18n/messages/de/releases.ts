import type { Translation } from '../../catalogue';
import type en from '../en/releases';

export default {} as const satisfies Translation<typeof en>;
