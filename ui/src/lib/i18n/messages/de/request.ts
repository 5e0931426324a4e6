import type { Translation } from '../../catalogue';
import type en from '../en/request';

export default {} as const satisfies Translation<typeof en>;
