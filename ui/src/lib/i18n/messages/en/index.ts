import audit from './audit';
import authorizations from './authorizations';
import board from './board';
import clauses from './clauses';
import common from './common';
import connectors from './connectors';
import decision from './decision';
import errors from './errors';
import frame from './frame';
import freezes from './freezes';
import gallery from './gallery';
import help from './help';
import inbox from './inbox';
import keys from './keys';
import people from './people';
import products from './products';
import propose from './propose';
import record from './record';
import release from './release';
import releases from './releases';
import request from './request';
import rollout from './rollout';
import roles from './roles';
import jobs from './jobs';
import settings from './settings';
import sign from './sign';
import start from './start';
import states from './states';

export default {
  audit,
  authorizations,
  board,
  clauses,
  common,
  connectors,
  decision,
  errors,
  frame,
  freezes,
  gallery,
  help,
  inbox,
  keys,
  people,
  products,
  propose,
  record,
  release,
  releases,
  request,
  rollout,
  roles,
  jobs,
  settings,
  sign,
  start,
  states,
};
