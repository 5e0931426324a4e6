import type { Translation } from '../../catalogue';
import type en from '../en/help';

export default {} as const satisfies Translation<typeof en>;
