import type { Translation } from '../../catalogue';
import type en from '../en/sign';

export default {} as const satisfies Translation<typeof en>;
