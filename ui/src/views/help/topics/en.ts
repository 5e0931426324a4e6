import type { Topics } from '.';

export default {
  'first-release': {
    title: 'From a commit to everybody',
    body: [
      'A release walks one way, and the ledger keeps each step.',
      {
        steps: [
          '**Propose** it: product, version, commit, artifacts with their digests, risk, and the way back.',
          '**Collect evidence.** Test reports and scans are read from the CI system by the desk, or attached by a person.',
          '**Deliver to staging**, with the same digest, and let it soak as long as the policy says.',
          '**Freeze and request.** Everything that is decided on becomes one decision sheet; people are asked by role or by name.',
          '**Sign.** Each of them says GO, NO-GO, HOLD, or GO with conditions, in the signing window.',
          '**Dispatch** the first wave. It bakes; its health and version are asked; then the next wave, up to everyone.',
          '**Close** it: say how it went.',
        ],
      },
      'The page of a release always says under “What blocks this” what is missing, who can clear it, and with which act.',
    ],
  },
  signing: {
    title: 'Signing',
    body: [
      'You sign in a window of its own. It shows the statement word for word, what you decide on, and what follows. What it shows comes from Countersign itself; the page that opened it can pass nothing but a number.',
      {
        steps: [
          '**Review** the statement and what is counted under it. What changed since you last looked is shown first.',
          '**Choose** your verdict, in which role and meaning, and say why.',
          '**Identify** yourself with the passphrase of your key. It is asked every time and kept nowhere.',
          '**Keep the receipt**: entry, time, digest. It is in the ledger; the receipt only names it.',
        ],
      },
      'A wrong passphrase keeps everything else as it was. After several wrong ones the key waits, longer each time.',
      'A prepared signature lives five minutes. If the ledger moves in a way that matters meanwhile, it is shown again before it can be signed.',
      'A signature cannot be taken back. Whoever changes their mind signs again; both stay in the record, the newer one counts.',
    ],
  },
  poll: {
    title: 'The go / no-go poll',
    body: [
      'Each seat the policy asks for is one station: role, who may sit there, what was said.',
      {
        list: [
          '**GO** – approved, on this sheet and no other.',
          '**NO-GO** – refused, with a reason. The release needs a new candidate.',
          '**HOLD** – not now: a question has to be answered first. A hold needs no passphrase; to resume does.',
          '**GO with conditions** – counts as not yet GO until each condition is met and said so.',
        ],
      },
      'A timeout never approves anything. A seat nobody can take is shown as such, with the reason.',
    ],
  },
  states: {
    title: 'What a signature is worth',
    body: [
      'A verdict is never stored as “approved”. It is derived each time from the signed bytes, the people and the policy. A signature is therefore one of eight things:',
      {
        list: [
          '**Valid** – it counts.',
          '**Incomplete** – a condition or a second person is still missing.',
          '**Stale** – something it was given for has changed since. The page names what.',
          '**Expired** – the sheet or its time is over.',
          '**Signer lost the role** – the person no longer holds it.',
          '**Key revoked** – the key was ended.',
          '**Not independent** – the person had a part in what was approved.',
          '**Invalid** – the signature does not fit the bytes. Somebody has to look into this.',
        ],
      },
      'Stale is not a fault of the signer. Look at what changed and sign the new sheet, or do not.',
    ],
  },
  independence: {
    title: 'Why you may not sign',
    body: [
      'Nobody approves their own work. The policy says who is kept apart; usually these may not sign a release:',
      {
        list: [
          'who asked for the decision,',
          'who wrote one of its commits (told by e-mail address),',
          'who attached evidence to it.',
        ],
      },
      'And who approved does not start the rollout. When you are barred, the station says why, and what you tried is in the record as refused.',
    ],
  },
  evidence: {
    title: 'Evidence',
    body: [
      'Countersign reads JUnit reports, SARIF scans and CycloneDX bills of materials, and counts the cases itself. Totals that a file claims are not believed. An empty report is no evidence.',
      '**Observed** evidence was fetched from the CI system by a desk, which signs what it saw. **Attached** evidence was given by a person and may need a second person to confirm it.',
      'A result is pass, fail, inconclusive or missing. Only pass is good.',
      'Evidence that comes after the freeze: green is recorded and shown as unsigned; red halts the release; inconclusive holds it.',
    ],
  },
  policy: {
    title: 'Policies',
    body: [
      'A policy is a text: who must say GO, on which evidence, how long staging soaks, in which waves the rollout goes, and what happens when a wave fails.',
      'A new version is proposed, compared with the one in force, and takes effect when the people whom the version in force asks for have said GO to it. Until then the old one holds.',
      'A change of the policy makes open sign-offs stale: they were given under other rules.',
    ],
  },
  modes: {
    title: 'Continuous Delivery and Continuous Deployment',
    body: [
      'Both walk the same way with the same record. They differ in who signs the last gate.',
      '**Continuous Delivery**: people sign every go / no-go.',
      '**Continuous Deployment**: a standing authorization signs it. It was itself signed by the same people, and it is bounded: product, kinds of change, size, how often a day, until when. Outside its bounds the release falls back to people.',
      'A product earns its way from one to the other on facts of the ledger. Anybody who may sign can suspend an authorization at once.',
    ],
  },
  rollout: {
    title: 'Rollouts',
    body: [
      'A rollout goes in waves. Each wave is dispatched once, then bakes: its instances are asked for health and version the whole time.',
      'A wave passes, fails, or is inconclusive. A gap in the samples is inconclusive, and then a person decides.',
      '**Halt** stops at once and needs no passphrase. **Roll back** goes to the version that the sheet named, which was approved with it.',
      '“Live” means: the run succeeded, its deploy step succeeded, and the instances answer the signed version.',
    ],
  },
  'fate-unknown': {
    title: 'Fate unknown',
    body: [
      'A deployment was sent and no answer came. Perhaps it runs, perhaps it never arrived. Countersign does not guess, and never sends it again by itself.',
      {
        steps: [
          'Press **Look for it**. The CI system is asked for a run that carries the request id. Nothing is sent.',
          'If it is found, it is followed like any other.',
          'If it certainly never started, the wave may be sent again under a new request id. The pipeline lets the same wave run only once.',
        ],
      },
    ],
  },
  freezes: {
    title: 'Freezes and the calendar',
    body: [
      'A freeze keeps everything, one product or one environment from being dispatched for a while. Decisions may still be made.',
      'It is a signed act, and so is lifting it. An emergency needs its own policy; it does not go around a freeze quietly.',
    ],
  },
  audit: {
    title: 'The audit trail',
    body: [
      'Every entry is one signed sentence. The trail can be filtered by person, act, release and time; each entry shows its exact bytes, its signature, the checks it passed and the proof that it is in the tree.',
      '**Verify** reads the whole ledger and every file again, and names the first bad entry if there is one.',
      'The green dot in the head says that what you see has been verified on this machine, and against the head that this machine remembers outside the ledger.',
    ],
  },
  bundle: {
    title: 'Giving evidence to an auditor',
    body: [
      '**Export a bundle** of one release or of everything. It holds the entries, their files, the reports and a script.',
      'The auditor needs no Countersign: `verify.sh` uses only bash, ssh-keygen, sha256sum and openssl. With Countersign, “Check a bundle” on the first screen does the same and judges roles and policy as well.',
      'Give the **fingerprint** of the ledger by another way than the bundle, on paper for example. Without it a bundle can prove only that it agrees with itself.',
      'A bundle of one release proves what is in it. It cannot prove that there was no NO-GO elsewhere.',
    ],
  },
  keys: {
    title: 'Keys and passphrases',
    body: [
      'A person signs with their own key, which lies on the desk, locked by a passphrase. The ledger keeps only its public half.',
      'Choose a passphrase of several words. Nobody can reset it; that is the point of it.',
      'A device signs what machines saw: evidence read, runs followed. It can never sign a GO in a person’s place.',
      'Before a key runs out, make a new one under “People & keys”. You stay the same person; old signatures stay valid.',
    ],
  },
  'lost-key': {
    title: 'A lost key or passphrase',
    body: [
      {
        steps: [
          'Tell a process owner. They end the key as lost; from then on nothing signed with it counts.',
          'They enrol you again with a new key, and you accept.',
          'If the process owner has lost theirs, the people named in the first entry may together appoint another, after the waiting time it states.',
        ],
      },
      'What was signed before the key was lost stays valid, unless the entry that ends it says from when it was in other hands.',
    ],
  },
  backup: {
    title: 'Backup and restore',
    body: [
      'A backup is a verified copy of the ledger and every file it names. It holds no private key.',
      'Restoring verifies the backup first, writes into a new folder, and verifies again. A backup that is older than what this machine has seen is refused, because somebody may want the past few days undone; the way out is a signed act of two people.',
    ],
  },
  damaged: {
    title: 'When a ledger does not verify',
    body: [
      'Countersign then opens it for reading only. Nothing can be signed or dispatched, and nothing is repaired quietly.',
      {
        steps: [
          'Open the findings in the audit trail. They name the first bad entry exactly.',
          'Keep the folder as it is: it is evidence.',
          'Restore the newest backup into another folder and compare the fingerprints and sizes.',
          'Find out who could write to the file. The entries before the first bad one are still proven.',
        ],
      },
    ],
  },
  sample: {
    title: 'The sample',
    body: [
      'The sample is a ledger of its own. Its people have passphrases that everybody may see, so that one person can walk the job of several. SAMPLE stands on every screen and every report of it.',
      'It deploys nothing but a small service that comes with it. Remove it by deleting its folder; your own ledgers are untouched.',
    ],
  },
  keyboard: {
    title: 'Keyboard',
    body: [
      'Everything can be reached without a mouse. `?` shows all keys, Ctrl K finds and does.',
      {
        list: [
          'G and a letter goes to a page: G B to the board, G R to the releases.',
          '/ goes to the filter of a list, arrow keys move, Enter opens, Space shows more.',
          'F6 goes from region to region, Esc goes back one step.',
          'Ctrl + and Ctrl − change the size.',
        ],
      },
      'Single letters can be switched off in the settings.',
    ],
  },
  words: {
    title: 'Words',
    body: [
      {
        list: [
          '**Ledger** – the list of signed entries. **Entry** – one signed sentence. **Fingerprint** – the hash of the first entry, by which a ledger is known.',
          '**Decision sheet** – everything a decision is about, frozen into exact bytes. People sign its digest.',
          '**Sign-off** – a person’s answer to a sheet. **Station** – a seat that the policy asks for.',
          '**Gate** – something that must be so before the next step. **Waiver** – a signed exception to one gate, with an end.',
          '**Segment, wave** – a part of all instances, and a step of a rollout. **Bake** – the time a wave is watched.',
          '**Dispatch** – telling the CI system to deploy. **Tier A, B, C** – whether the platform, the pipeline, or only good will keeps an unsigned deployment out.',
        ],
      },
    ],
  },
} satisfies Topics;
