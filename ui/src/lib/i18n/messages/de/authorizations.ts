import type { Translation } from '../../catalogue';
import type en from '../en/authorizations';

export default {} as const satisfies Translation<typeof en>;
