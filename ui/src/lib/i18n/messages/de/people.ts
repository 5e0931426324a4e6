import type { Translation } from '../../catalogue';
import type en from '../en/people';

export default {} as const satisfies Translation<typeof en>;
