import type { Translation } from '../../catalogue';
import type en from '../en/start';

export default {} as const satisfies Translation<typeof en>;
