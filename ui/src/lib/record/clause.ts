/** What a policy means, and what keeps it from being met, in the window's language. */
import type { Clause, Obstacle } from '$lib/ipc/bindings';
import { t, word } from '$lib/i18n/index.svelte';
import { dateTime, duration, list } from '$lib/i18n/format.svelte';
import { roleName } from './sentence';

export function clauseText(clause: Clause): string {
  switch (clause.kind) {
    case 'lastGate':
      return word('clauses', `lastGate.${clause.mode}`);
    case 'quorum':
      return t('clauses.quorum', {
        roles: list(clause.roles.map(({ role, count }) => t('clauses.quorumRole', { count, role: roleName(role) }))),
      });
    case 'veto':
      return clause.roles.length
        ? t('clauses.veto', { roles: list(clause.roles.map(roleName), 'disjunction') })
        : t('clauses.vetoNobody');
    case 'apart':
      return word('clauses', `apart.${clause.part}`);
    case 'nobodyApart':
      return t('clauses.nobodyApart');
    case 'presence':
      return t('clauses.presence', {
        ways: list(
          clause.ways.map((way) => word('clauses', `way.${way}`)),
          'disjunction',
        ),
      });
    case 'attached':
      return word('clauses', `attached.${clause.rule}`);
    case 'rerun':
      return clause.rule === 'upTo'
        ? t('clauses.rerun.upTo', { count: clause.upTo })
        : word('clauses', `rerun.${clause.rule}`);
    case 'required':
      return t('clauses.required', { fields: list(clause.fields.map((field) => word('clauses', `field.${field}`))) });
    case 'gate':
      return [
        t(`clauses.gate.${clause.evidence}`, { gate: clause.gate }),
        ...(clause.name ? [t('clauses.gateNamed', { name: clause.name })] : []),
        ...clause.bounds.map(({ what, count, least }) =>
          least ? t('clauses.gateLeast', { count, what }) : t('clauses.gateMost', { count, what }),
        ),
        ...(clause.observed ? [t('clauses.gateObserved')] : []),
      ].join(' ');
    case 'noGoCount':
      return t('clauses.noGoCount', { count: clause.count });
    case 'holdAnswered':
      return t('clauses.holdAnswered');
    case 'emergency':
      return [
        t('clauses.emergency', {
          roles: list(clause.roles.map(({ role, count }) => t('clauses.quorumRole', { count, role: roleName(role) }))),
        }),
        clause.allGates
          ? t('clauses.emergencyAll')
          : clause.gates.length
            ? t('clauses.emergencyGates', { gates: list(clause.gates) })
            : t('clauses.emergencyNone'),
        t('clauses.emergencyReview', { count: clause.workingDays }),
      ].join(' ');
    case 'window':
      return [
        t('clauses.window', { begins: dateTime(clause.begins), duration: duration(clause.seconds) }),
        ...(clause.rule && clause.zone ? [t('clauses.windowAgain', { rule: clause.rule, zone: clause.zone })] : []),
      ].join(' ');
    case 'exempt':
      return word('clauses', `exempt.${clause.rollback ? 'rollback' : 'none'}${clause.emergency ? 'Emergency' : ''}`);
    case 'order':
      return t('clauses.order', { roles: clause.roles.map(roleName).join(' → ') });
    case 'refined': {
      const changes = clause.changes.length
        ? list(clause.changes.map((change) => word('clauses', `change.${change}`)))
        : t('clauses.changeAny');
      return clause.environment
        ? t('clauses.refinedBefore', { changes, environment: clause.environment })
        : t('clauses.refined', { changes });
    }
    case 'gatesAsked':
      return clause.gates.length ? t('clauses.gatesAsked', { gates: list(clause.gates) }) : t('clauses.gatesAskedNone');
    case 'noEvidence':
      return t('clauses.noEvidence');
    case 'soak':
      return t('clauses.soak', { duration: duration(clause.seconds) });
    case 'sheetValid':
      return t('clauses.sheetValid', { duration: duration(clause.seconds) });
    case 'dispatch':
      return word('clauses', `dispatch.${clause.rule}`);
    case 'wave': {
      const { segment, bakeSeconds } = clause.wave;
      return bakeSeconds
        ? t('clauses.wave', { place: clause.place, segment, duration: duration(bakeSeconds) })
        : t('clauses.waveLast', { place: clause.place, segment });
    }
    case 'rollback':
      return word('clauses', `rollback.${clause.rule}`);
  }
}

export function obstacleText(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'signers': {
      const { needed, holders } = obstacle;
      return t('clauses.obstacle.signers', { needed, holders, role: roleName(obstacle.role) });
    }
    case 'noProduct':
      return t('clauses.obstacle.noProduct', { product: obstacle.product });
    case 'noTarget':
      return t('clauses.obstacle.noTarget', { product: obstacle.product, environment: obstacle.environment });
    case 'noSegment':
      return t('clauses.obstacle.noSegment', { environment: obstacle.environment, segment: obstacle.segment });
  }
}
