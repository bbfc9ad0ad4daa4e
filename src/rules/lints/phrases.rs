//! The phrases by which a text refers to an earlier attempt, as [`super::references`] reads them. Words are folded:
//! small letters, no accents.
//!
//! In a phrase `a|b` is either word, `[a|b]` any number of those, `~3` up to three words without a comma between them,
//! `<noun>` a channel as something that was sent (`a call`, `by phone`), and `<bare>` a channel's name after `our`.

use crate::model::Channel;
use std::sync::LazyLock;

/// One piece of a phrase.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// One of these.
    Words(Vec<&'static str>),
    /// Any number of these.
    Some(Vec<&'static str>),
    /// Up to so many words.
    Gap(usize),
    /// One of [`NOUNS`].
    Noun,
    /// One of [`BARE`].
    Bare,
}

/// Whether a phrase holds wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It says outright that something was done.
    Strong,
    /// Not in a clause that announces or supposes something.
    Weak,
}

/// A phrase, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) steps: Vec<Step>,
    pub(super) weight: Weight,
    /// The channel it is about where none is named in it.
    pub(super) channel: Option<Channel>,
}

impl Phrase {
    pub(super) fn may_begin_with(&self, word: &str) -> bool {
        match self.steps.first() {
            Some(Step::Words(list)) => list.contains(&word),
            Some(Step::Some(_) | Step::Gap(_) | Step::Noun | Step::Bare) | None => true,
        }
    }
}

/// Channels as something that was sent or made.
pub(super) const NOUNS: &[(&[&str], Channel)] = &[
    (&["whatsapp"], Channel::Whatsapp),
    (&["sms"], Channel::Sms),
    (&["text", "message"], Channel::Sms),
    (&["a", "text"], Channel::Sms),
    (&["by", "text"], Channel::Sms),
    (&["via", "text"], Channel::Sms),
    (&["our", "text"], Channel::Sms),
    (&["the", "text"], Channel::Sms),
    (&["textnachricht"], Channel::Sms),
    (&["kurznachricht"], Channel::Sms),
    (&["mensaje", "de", "texto"], Channel::Sms),
    (&["texto"], Channel::Sms),
    (&["a", "call"], Channel::Phone),
    (&["the", "call"], Channel::Phone),
    (&["our", "call"], Channel::Phone),
    (&["phone", "call"], Channel::Phone),
    (&["voicemail"], Channel::Phone),
    (&["voice", "message"], Channel::Phone),
    (&["by", "phone"], Channel::Phone),
    (&["by", "telephone"], Channel::Phone),
    (&["on", "the", "phone"], Channel::Phone),
    (&["over", "the", "phone"], Channel::Phone),
    (&["per", "telefon"], Channel::Phone),
    (&["am", "telefon"], Channel::Phone),
    (&["telefonisch"], Channel::Phone),
    (&["por", "telefono"], Channel::Phone),
    (&["par", "telephone"], Channel::Phone),
    (&["message", "vocal"], Channel::Phone),
    (&["mensaje", "de", "voz"], Channel::Phone),
    (&["an", "email"], Channel::Email),
    (&["by", "email"], Channel::Email),
    (&["an", "e", "mail"], Channel::Email),
    (&["per", "mail"], Channel::Email),
    (&["per", "e", "mail"], Channel::Email),
    (&["por", "correo"], Channel::Email),
    (&["par", "e", "mail"], Channel::Email),
];

/// Channels after `our`, `unsere`, `nuestro`, `notre`.
pub(super) const BARE: &[(&[&str], Channel)] = &[
    (&["whatsapp", "message"], Channel::Whatsapp),
    (&["whatsapp"], Channel::Whatsapp),
    (&["mensaje", "de", "whatsapp"], Channel::Whatsapp),
    (&["message", "whatsapp"], Channel::Whatsapp),
    (&["sms"], Channel::Sms),
    (&["text"], Channel::Sms),
    (&["texto"], Channel::Sms),
    (&["textnachricht"], Channel::Sms),
    (&["kurznachricht"], Channel::Sms),
    (&["mensaje", "de", "texto"], Channel::Sms),
    (&["call"], Channel::Phone),
    (&["phone", "call"], Channel::Phone),
    (&["voicemail"], Channel::Phone),
    (&["anruf"], Channel::Phone),
    (&["llamada"], Channel::Phone),
    (&["appel"], Channel::Phone),
    (&["email"], Channel::Email),
    (&["e", "mail"], Channel::Email),
    (&["mail"], Channel::Email),
    (&["correo"], Channel::Email),
    (&["courriel"], Channel::Email),
];

/// After a channel's name: no message, but a way to reach us.
pub(super) const NOT_A_MESSAGE: &[&str] = &[
    "number", "numbers", "line", "lines", "team", "channel", "chat", "center", "centre", "service",
    "support", "page", "business", "account", "contact", "hotline", "agents", "nummer", "kanal", "kontakt",
    "konto", "numero", "linea", "canal", "servicio", "equipo", "cuenta", "ligne", "equipe", "compte", "back",
];

/// Words of a clause that announces something.
pub(super) const FUTURE: &[&str] = &[
    "will",
    "ll",
    "tomorrow",
    "shortly",
    "soon",
    "expect",
    "await",
    "wait",
    "going",
    "follows",
    "werde",
    "werden",
    "wird",
    "bald",
    "erwarten",
    "demnachst",
    "folgt",
    "pronto",
    "espera",
    "espere",
    "recibira",
    "recibiras",
    "demain",
    "bientot",
    "attendez",
    "recevrez",
    "suivra",
];

/// Words of a clause that supposes something.
pub(super) const SUPPOSED: &[&str] =
    &["if", "when", "whenever", "unless", "wenn", "falls", "sobald", "si", "cuando", "quand", "lorsque"];

const ENGLISH: &str = "
! we|i [ve|have|had|just|already|also|recently|today|yesterday|both|d] sent|wrote|messaged|left|dropped|contacted ~8 <noun>
! we|i [ve|have|had|just|already|also|recently] said|mentioned|explained|promised|told|asked ~6 <noun>
! we|i [ve|have|had|just|already|also|recently] tried to reach|contact|get|speak|catch|call ~6 <noun>
! <bare> ~3 we|i [ve|have|had|just|already|also] sent|wrote|left|made
! a|the text|message|note we|i [ve|have|had|just|already|also] sent|left|wrote ~4 <noun>
you [may|might|have|ve|already|also|just|probably] get|got|see|saw|seen|read|receive|received|miss|missed|notice|noticed our|my|the|that [earlier|last|previous|first|recent|short|quick] <bare>
our|my [earlier|last|previous|first|recent|missed|short|little|quick|yesterday|today|s|morning] <bare>
about|following|up|regarding|concerning [on|with] the|our|my|that [earlier|last|previous|first|recent] <bare>
P! we|i [ve|have|had|just|already|also|recently] called|phoned|rang|telephoned you|earlier|yesterday|today|before|twice|already
P! we|i [ve|have|had|just|already|also|recently] tried to call|phone|ring|telephone
P! we|i [ve|have|had|just|already|also|recently] tried calling|phoning|ringing
P! missed|reach|reached|catch|caught|get you by|on|over [the] phone
S! we|i [ve|have|had|just|already|also|recently] texted you
W! we|i [ve|have|had|just|already|also|recently] whatsapped you
M! we|i [ve|have|had|just|already|also|recently] emailed you
*! we|i [ve|have|had|just|already|also|recently] tried to reach|contact you
*! we|i [ve|have|had|just|already|also|recently] tried reaching|contacting you
*! we|i [ve|have|had|just|already|also|recently] tried to get hold|in ~2 you
*! we|i [ve|have|had|just|already|also|recently] messaged|contacted you
*! we|i [ve|have|had|just|already|also|recently] wrote|written [to] you
* our|my earlier|previous message|messages|note
";

const GERMAN: &str = "
! wir haben|hatten ~8 <noun> ~4 geschickt|gesendet|gesandt|geschrieben|hinterlassen|kontaktiert|erreicht|gemeldet
! haben|hatten wir ~8 <noun> ~4 geschickt|gesendet|gesandt|geschrieben|hinterlassen|kontaktiert|erreicht|gemeldet
! habe|hatte ~8 <noun> ~4 geschickt|gesendet|gesandt|geschrieben|hinterlassen|kontaktiert|erreicht|gemeldet
! <noun> haben|hatten wir ~5 geschickt|gesendet|gesandt|geschrieben|hinterlassen|kontaktiert|erreicht|gemeldet
! <noun> habe|hatte ich ~5 geschickt|gesendet|gesandt|geschrieben|hinterlassen|kontaktiert|erreicht|gemeldet
! <bare> ~1 [,] die|den|das wir|ich ~4 geschickt|gesendet|geschrieben|hinterlassen
! wir|ich schrieben|schrieb|schickten|schickte|sendeten|sendete ~5 <noun>
! wir|ich ~5 telefonisch [leider|bisher] nicht erreicht|erreichen
! wir|ich ~5 nicht telefonisch erreicht|erreichen
unsere|unserer|unseren|unser|unseres|meine|meiner|meinen|mein|meinem|unserem [letzte|letzten|fruhere|fruheren|vorherige|vorherigen|erste|ersten|kurze|kurzen|gestrige|gestrigen|verpassten] <bare>
P! wir haben|hatten ~4 angerufen
P! haben|hatten wir ~4 angerufen
P! habe|hatte ~4 angerufen
P! versucht [,] sie|dich|euch anzurufen
*! versucht [,] sie|dich|euch zu erreichen|kontaktieren
*! wir|ich haben|habe ihnen|dir|euch [bereits|schon|vorhin|gestern|heute] geschrieben
*! haben|habe wir|ich ihnen|dir|euch [bereits|schon|vorhin|gestern|heute] geschrieben
* unsere|unserer|meine|meiner fruhere|fruheren|vorherige|vorherigen|vorige|vorigen nachricht
";

const SPANISH: &str = "
! he|hemos|habia|habiamos [ya|recien|tambien] enviado|escrito|mandado|dejado|contactado ~6 <noun>
! te|le|os|les|lo|la escribi|escribimos|envie|mande|deje|dejamos ~6 <noun>
! ya te|le|os|les enviamos|mandamos ~6 <noun>
! te|le|os|les enviamos|mandamos ayer|antes|hoy|hace ~6 <noun>
! <bare> que [ya|te|le|os|les] enviamos|mandamos|envie|mande|escribimos|dejamos|hicimos|hemos|he
nuestro|nuestra|nuestros|nuestras|mi|mis [ultimo|ultima|anterior|primer|primera|reciente|breve] <bare>
P! te|le|lo|la|os|les he|hemos [ya|antes|hoy|ayer] llamado
P! te|le|lo|la|os|les llamamos|llame antes|ayer|hoy|hace
P! intentado|intentamos|intente|tratado|tratamos [de] llamar|llamarte|llamarle|llamarlo|llamarla|llamaros
*! intentado|intentamos|intente|tratado|tratamos [de] contactar|contactarte|contactarle|contactarlo|contactarla|localizar|localizarte|localizarle
*! te|le|os|les he|hemos [ya|antes|hoy|ayer] escrito|contactado
* nuestro|mi mensaje anterior|previo
* nuestro|mi anterior mensaje
";

const FRENCH: &str = "
! avons|ai|avions [deja|bien|aussi|recemment] envoye|ecrit|laisse|adresse|contacte|contactee|contactes ~6 <noun>
! <bare> que nous|j|je [vous|t|te] avons|ai
notre|nos|mon|mes [dernier|premier|precedent|recent|petit|court] <bare>
P! vous|t|te avons|ai [deja|bien|aussi|recemment] appele|appelee|telephone
P! essaye|tente de|d [vous|t|te] appeler|telephoner
P! essaye|tente de|d [vous|t|te] joindre par telephone
*! essaye|tente de|d [vous|t|te] joindre|contacter
*! vous|t|te avons|ai [deja|bien|aussi|recemment] ecrit|contacte|contactee
* notre|mon message precedent
* notre|mon precedent message
";

/// Every phrase. A letter before one is the channel that it is about (`*`: any), `!` makes it strong.
pub(super) static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let lines = [ENGLISH, GERMAN, SPANISH, FRENCH].into_iter().flat_map(str::lines);
    lines.map(str::trim).filter(|line| !line.is_empty()).map(phrase).collect()
});

fn phrase(line: &'static str) -> Phrase {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    let is_mark = mark.chars().all(|c| "PSWM*!".contains(c));
    let channel = match mark.chars().next().filter(|_| is_mark) {
        Some('P') => Some(Channel::Phone),
        Some('S') => Some(Channel::Sms),
        Some('W') => Some(Channel::Whatsapp),
        Some('M') => Some(Channel::Email),
        Some(_) | None => None,
    };
    let weight = if is_mark && mark.contains('!') { Weight::Strong } else { Weight::Weak };
    let steps = if is_mark { rest } else { line };
    Phrase { steps: steps.split_whitespace().map(step).collect(), weight, channel }
}

fn step(word: &'static str) -> Step {
    let list = |text: &'static str| text.split('|').collect::<Vec<_>>();
    match word {
        "<noun>" => Step::Noun,
        "<bare>" => Step::Bare,
        _ => match word.strip_prefix('~') {
            Some(most) => Step::Gap(most.parse().unwrap_or(0)),
            None => match word.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => Step::Some(list(inner)),
                None => Step::Words(list(word)),
            },
        },
    }
}
