import type { Translation } from '../../catalogue';
import type en from '../en/propose';

export default {} as const satisfies Translation<typeof en>;
