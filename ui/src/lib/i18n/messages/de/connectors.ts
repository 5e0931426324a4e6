import type { Translation } from '../../catalogue';
import type en from '../en/connectors';

export default {} as const satisfies Translation<typeof en>;
