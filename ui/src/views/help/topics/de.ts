import type { Topics } from '.';

export default {
  'first-release': {
    title: 'Vom Commit zu allen',
    body: [
      'Ein Release geht einen Weg, und das Ledger hält jeden Schritt fest.',
      {
        steps: [
          '**Vorschlagen**: Produkt, Version, Commit, Artefakte mit ihren Prüfsummen, Risiko und der Weg zurück.',
          '**Nachweise sammeln.** Testberichte und Scans liest der Arbeitsplatz aus dem CI-System, oder eine Person legt sie bei.',
          '**Nach Staging liefern**, mit derselben Prüfsumme, und so lange einlaufen lassen, wie die Richtlinie sagt.',
          '**Einfrieren und anfragen.** Alles, worüber entschieden wird, wird ein Entscheidungsbogen; gefragt wird nach Rolle oder namentlich.',
          '**Zeichnen.** Jede Person sagt GO, NO-GO, HOLD oder GO mit Auflagen, im Signaturfenster.',
          '**Auslösen** der ersten Welle. Sie bewährt sich; Gesundheit und Version werden abgefragt; dann die nächste, bis zu allen.',
          '**Abschließen**: sagen, wie es lief.',
        ],
      },
      'Die Seite eines Release sagt unter „Was noch fehlt“ immer, was hindert, wer es lösen kann und mit welcher Handlung.',
    ],
  },
  signing: {
    title: 'Zeichnen',
    body: [
      'Unterschrieben wird in einem eigenen Fenster. Es zeigt die Erklärung wortgetreu, worüber Sie entscheiden und was daraus folgt. Was es zeigt, kommt von Countersign selbst; die Seite, die es öffnet, kann nur eine Nummer übergeben.',
      {
        steps: [
          '**Prüfen** Sie die Erklärung und was darunter gezählt ist. Was sich seit Ihrem letzten Blick geändert hat, steht zuerst.',
          '**Wählen** Sie Ihr Urteil, in welcher Rolle und Bedeutung, und sagen Sie, warum.',
          '**Ausweisen** mit der Passphrase Ihres Schlüssels. Sie wird jedes Mal verlangt und nirgends aufbewahrt.',
          '**Quittung**: Eintrag, Zeit, Prüfsumme. Sie steht im Ledger; die Quittung nennt sie nur.',
        ],
      },
      'Eine falsche Passphrase lässt alles andere, wie es war. Nach mehreren falschen wartet der Schlüssel, jedes Mal länger.',
      'Eine vorbereitete Unterschrift lebt fünf Minuten. Bewegt sich das Ledger inzwischen so, dass es darauf ankommt, wird sie vor dem Zeichnen noch einmal gezeigt.',
      'Eine Unterschrift lässt sich nicht zurücknehmen. Wer es sich anders überlegt, unterschreibt erneut; beide bleiben stehen, die neuere zählt.',
    ],
  },
  poll: {
    title: 'Die Abstimmung: GO oder NO-GO',
    body: [
      'Jeder Platz, den die Richtlinie verlangt, ist eine Station: Rolle, wer dort sitzen darf, was gesagt wurde.',
      {
        list: [
          '**GO** – freigegeben, auf diesem Bogen und keinem anderen.',
          '**NO-GO** – abgelehnt, mit Begründung. Das Release braucht einen neuen Kandidaten.',
          '**HOLD** – nicht jetzt: erst ist eine Frage zu beantworten. Anhalten braucht keine Passphrase, Fortsetzen schon.',
          '**GO mit Auflagen** – zählt noch nicht als GO, bis jede Auflage erfüllt und das gesagt ist.',
        ],
      },
      'Eine abgelaufene Frist gibt nie etwas frei. Ein Platz, den niemand einnehmen kann, wird so gezeigt, mit dem Grund.',
    ],
  },
  states: {
    title: 'Was eine Unterschrift wert ist',
    body: [
      'Ein Urteil steht nie als „freigegeben“ gespeichert. Es wird jedes Mal aus den unterschriebenen Bytes, den Personen und der Richtlinie abgeleitet. Eine Unterschrift ist deshalb eines von acht Dingen:',
      {
        list: [
          '**Gültig** – sie zählt.',
          '**Unvollständig** – eine Auflage oder eine zweite Person fehlt noch.',
          '**Überholt** – etwas, wofür sie gegeben wurde, hat sich geändert. Die Seite nennt es.',
          '**Abgelaufen** – der Bogen oder seine Zeit ist vorbei.',
          '**Rolle verloren** – die Person hat sie nicht mehr.',
          '**Schlüssel widerrufen** – der Schlüssel wurde beendet.',
          '**Nicht unabhängig** – die Person hatte Anteil an dem, was freigegeben wurde.',
          '**Ungültig** – die Unterschrift passt nicht zu den Bytes. Dem muss jemand nachgehen.',
        ],
      },
      'Überholt ist kein Fehler der unterschreibenden Person. Sehen Sie an, was sich geändert hat, und unterschreiben Sie den neuen Bogen, oder nicht.',
    ],
  },
  independence: {
    title: 'Warum Sie nicht unterschreiben dürfen',
    body: [
      'Niemand gibt eigene Arbeit frei. Die Richtlinie sagt, wer getrennt bleibt; meist dürfen diese ein Release nicht unterschreiben:',
      {
        list: [
          'wer die Entscheidung angefragt hat,',
          'wer einen seiner Commits geschrieben hat (erkannt an der E-Mail-Adresse),',
          'wer einen Nachweis beigelegt hat.',
        ],
      },
      'Und wer freigegeben hat, startet die Ausrollung nicht. Sind Sie ausgeschlossen, sagt die Station, warum; der Versuch steht als abgelehnt im Ledger.',
    ],
  },
  evidence: {
    title: 'Nachweise',
    body: [
      'Countersign liest JUnit-Berichte, SARIF-Scans und CycloneDX-Stücklisten und zählt die Fälle selbst. Summen, die eine Datei behauptet, werden nicht geglaubt. Ein leerer Bericht ist kein Nachweis.',
      '**Beobachtete** Nachweise hat ein Arbeitsplatz aus dem CI-System geholt und unterschreibt, was er sah. **Beigelegte** gab eine Person; sie können eine zweite Person brauchen, die bestätigt.',
      'Ein Ergebnis ist bestanden, fehlgeschlagen, nicht schlüssig oder fehlt. Nur bestanden ist gut.',
      'Nachweise nach dem Einfrieren: grüne werden aufgezeichnet und als ungezeichnet gezeigt; rote halten das Release an; nicht schlüssige stellen es zurück.',
    ],
  },
  policy: {
    title: 'Richtlinien',
    body: [
      'Eine Richtlinie ist ein Text: wer GO sagen muss, auf welche Nachweise hin, wie lange Staging einläuft, in welchen Wellen ausgerollt wird und was geschieht, wenn eine Welle scheitert.',
      'Eine neue Fassung wird vorgeschlagen, mit der geltenden verglichen und gilt, wenn die Personen, die die geltende verlangt, GO gesagt haben. Bis dahin gilt die alte.',
      'Eine Änderung der Richtlinie überholt offene Unterschriften: sie wurden unter anderen Regeln gegeben.',
    ],
  },
  modes: {
    title: 'Continuous Delivery und Continuous Deployment',
    body: [
      'Beide gehen denselben Weg mit derselben Aufzeichnung. Sie unterscheiden sich darin, wer die letzte Freigabe unterschreibt.',
      '**Continuous Delivery**: Menschen unterschreiben jede Entscheidung.',
      '**Continuous Deployment**: Eine Dauerfreigabe unterschreibt sie. Sie wurde selbst von denselben Personen unterschrieben und ist begrenzt: Produkt, Arten der Änderung, Umfang, wie oft am Tag, bis wann. Außerhalb dieser Grenzen fällt das Release an Menschen zurück.',
      'Ein Produkt arbeitet sich auf Tatsachen des Ledgers vom einen zum anderen. Wer unterschreiben darf, kann eine Dauerfreigabe sofort aussetzen.',
    ],
  },
  rollout: {
    title: 'Ausrollungen',
    body: [
      'Ausgerollt wird in Wellen. Jede Welle wird einmal ausgelöst und bewährt sich dann: ihre Instanzen werden die ganze Zeit nach Gesundheit und Version gefragt.',
      'Eine Welle besteht, scheitert oder ist nicht schlüssig. Eine Lücke in den Proben ist nicht schlüssig; dann entscheidet ein Mensch.',
      '**Anhalten** wirkt sofort und braucht keine Passphrase. **Zurücknehmen** geht auf die Version, die der Bogen nannte und die mit ihm freigegeben wurde.',
      '„Live“ heißt: der Lauf war erfolgreich, sein Ausrollschritt auch, und die Instanzen antworten mit der unterschriebenen Version.',
    ],
  },
  'fate-unknown': {
    title: 'Ausgang unbekannt',
    body: [
      'Eine Auslösung wurde gesendet, eine Antwort kam nicht. Vielleicht läuft sie, vielleicht kam sie nie an. Countersign rät nicht und sendet nie von selbst erneut.',
      {
        steps: [
          'Drücken Sie **Danach suchen**. Das CI-System wird nach einem Lauf mit dieser Anfragenummer gefragt. Gesendet wird nichts.',
          'Wird er gefunden, wird er verfolgt wie jeder andere.',
          'Hat er sicher nie begonnen, darf die Welle unter neuer Nummer erneut gesendet werden. Die Pipeline lässt dieselbe Welle nur einmal laufen.',
        ],
      },
    ],
  },
  freezes: {
    title: 'Sperren und der Kalender',
    body: [
      'Eine Sperre verhindert eine Zeit lang, dass alles, ein Produkt oder eine Umgebung ausgelöst wird. Entscheiden darf man weiterhin.',
      'Sie ist eine unterschriebene Handlung, das Aufheben auch. Ein Notfall braucht seine eigene Richtlinie; er geht nicht still an einer Sperre vorbei.',
    ],
  },
  audit: {
    title: 'Die Audit-Spur',
    body: [
      'Jeder Eintrag ist ein unterschriebener Satz. Die Spur lässt sich nach Person, Handlung, Release und Zeit filtern; jeder Eintrag zeigt seine genauen Bytes, seine Unterschrift, die bestandenen Prüfungen und den Beweis, dass er im Baum steht.',
      '**Prüfen** liest das ganze Ledger und jede Datei neu und nennt den ersten schlechten Eintrag, wenn es einen gibt.',
      'Der grüne Punkt oben sagt, dass das Gezeigte auf diesem Rechner geprüft ist, auch gegen den Stand, den er außerhalb des Ledgers behalten hat.',
    ],
  },
  bundle: {
    title: 'Nachweise an die Revision geben',
    body: [
      '**Ein Nachweispaket ausgeben**, von einem Release oder von allem. Es enthält die Einträge, ihre Dateien, die Berichte und ein Skript.',
      'Die Revision braucht kein Countersign: `verify.sh` nutzt nur bash, ssh-keygen, sha256sum und openssl. Mit Countersign leistet „Ein Nachweispaket prüfen“ auf der ersten Seite dasselbe und beurteilt auch Rollen und Richtlinie.',
      'Geben Sie den **Fingerabdruck** des Ledgers auf anderem Weg als mit dem Paket, etwa auf Papier. Ohne ihn beweist ein Paket nur, dass es mit sich selbst übereinstimmt.',
      'Ein Paket eines Release beweist, was darin ist. Dass es anderswo kein NO-GO gab, kann es nicht beweisen.',
    ],
  },
  keys: {
    title: 'Schlüssel und Passphrasen',
    body: [
      'Eine Person unterschreibt mit dem eigenen Schlüssel, der am Arbeitsplatz liegt, verschlossen mit einer Passphrase. Das Ledger hält nur die öffentliche Hälfte.',
      'Wählen Sie eine Passphrase aus mehreren Wörtern. Niemand kann sie zurücksetzen; das ist ihr Sinn.',
      'Ein Gerät unterschreibt, was Maschinen sahen: gelesene Nachweise, verfolgte Läufe. Ein GO kann es nie an Stelle eines Menschen unterschreiben.',
      'Bevor ein Schlüssel abläuft, erzeugen Sie unter „Personen & Schlüssel“ einen neuen. Sie bleiben dieselbe Person; alte Unterschriften bleiben gültig.',
    ],
  },
  'lost-key': {
    title: 'Schlüssel oder Passphrase verloren',
    body: [
      {
        steps: [
          'Sagen Sie es einer prozessverantwortlichen Person. Sie beendet den Schlüssel als verloren; ab dann zählt nichts mehr, was er unterschreibt.',
          'Sie nimmt Sie mit neuem Schlüssel wieder auf, und Sie nehmen an.',
          'Hat die prozessverantwortliche Person den ihren verloren, können die im ersten Eintrag Genannten gemeinsam eine andere bestimmen, nach der dort genannten Wartezeit.',
        ],
      },
      'Was vor dem Verlust unterschrieben wurde, bleibt gültig, sofern der beendende Eintrag nicht sagt, ab wann er in fremder Hand war.',
    ],
  },
  backup: {
    title: 'Sichern und Wiederherstellen',
    body: [
      'Eine Sicherung ist eine geprüfte Kopie des Ledgers und jeder Datei, die es nennt. Sie enthält keinen privaten Schlüssel.',
      'Wiederherstellen prüft erst die Sicherung, schreibt in einen neuen Ordner und prüft erneut. Eine Sicherung, die älter ist als das, was dieser Rechner gesehen hat, wird abgelehnt, denn jemand könnte die letzten Tage ungeschehen wünschen; der Ausweg ist eine unterschriebene Handlung von zwei Personen.',
    ],
  },
  damaged: {
    title: 'Wenn ein Ledger die Prüfung nicht besteht',
    body: [
      'Countersign öffnet es dann nur zum Lesen. Nichts kann unterschrieben oder ausgelöst werden, und nichts wird still repariert.',
      {
        steps: [
          'Öffnen Sie die Befunde in der Audit-Spur. Sie nennen den ersten schlechten Eintrag genau.',
          'Lassen Sie den Ordner, wie er ist: er ist ein Beweismittel.',
          'Stellen Sie die neueste Sicherung in einen anderen Ordner wieder her und vergleichen Sie Fingerabdruck und Größe.',
          'Finden Sie heraus, wer in die Datei schreiben konnte. Die Einträge vor dem ersten schlechten sind weiterhin bewiesen.',
        ],
      },
    ],
  },
  sample: {
    title: 'Das Beispiel',
    body: [
      'Das Beispiel ist ein eigenes Ledger. Seine Personen haben Passphrasen, die alle sehen dürfen, damit ein Mensch die Arbeit mehrerer gehen kann. BEISPIEL steht auf jeder Seite und jedem Bericht davon.',
      'Es rollt nichts aus als einen kleinen Dienst, der mitkommt. Entfernen Sie es, indem Sie seinen Ordner löschen; Ihre eigenen Ledger bleiben unberührt.',
    ],
  },
  keyboard: {
    title: 'Tastatur',
    body: [
      'Alles ist ohne Maus erreichbar. `?` zeigt alle Tasten, Strg K findet und handelt.',
      {
        list: [
          'G und ein Buchstabe führt zu einer Seite: G B zur Übersicht, G R zu den Releases.',
          '/ führt zum Filter einer Liste, Pfeiltasten bewegen, Eingabe öffnet, Leertaste zeigt mehr.',
          'F6 geht von Bereich zu Bereich, Esc einen Schritt zurück.',
          'Strg + und Strg − ändern die Größe.',
        ],
      },
      'Einzelne Buchstaben lassen sich in den Einstellungen abschalten.',
    ],
  },
  words: {
    title: 'Wörter',
    body: [
      {
        list: [
          '**Ledger** – die Liste unterschriebener Einträge. **Eintrag** – ein unterschriebener Satz. **Fingerabdruck** – die Prüfsumme des ersten Eintrags, an der man ein Ledger erkennt.',
          '**Entscheidungsbogen** – alles, worum es in einer Entscheidung geht, in genaue Bytes eingefroren. Unterschrieben wird seine Prüfsumme.',
          '**Unterschrift** – die Antwort einer Person auf einen Bogen. **Station** – ein Platz, den die Richtlinie verlangt.',
          '**Prüfung** – was so sein muss, ehe es weitergeht. **Ausnahme** – eine unterschriebene Abweichung von einer Prüfung, mit einem Ende.',
          '**Segment, Welle** – ein Teil aller Instanzen, und ein Schritt der Ausrollung. **Bewährung** – die Zeit, in der eine Welle beobachtet wird.',
          '**Auslösen** – dem CI-System sagen, dass es ausrollen soll. **Stufe A, B, C** – ob die Plattform, die Pipeline oder nur guter Wille eine nicht unterschriebene Ausrollung verhindert.',
        ],
      },
    ],
  },
} satisfies Topics;
