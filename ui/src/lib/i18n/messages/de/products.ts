import type { Translation } from '../../catalogue';
import type en from '../en/products';

export default {} as const satisfies Translation<typeof en>;
