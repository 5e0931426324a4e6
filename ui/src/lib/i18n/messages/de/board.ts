import type { Translation } from '../../catalogue';
import type en from '../en/board';

export default {} as const satisfies Translation<typeof en>;
