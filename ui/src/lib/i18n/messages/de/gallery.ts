import type { Translation } from '../../catalogue';
import type en from '../en/gallery';

export default {} as const satisfies Translation<typeof en>;
