//! The words people use, by meaning, as `meaning` folds them: lower case, no accents, no punctuation, an
//! apostrophe dropped (`dont`). English, German, Spanish, French, and what is common elsewhere.

use std::sync::LazyLock;

/// Words or phrases, in their order.
pub(super) type Words = LazyLock<Vec<&'static str>>;

/// Between commas.
fn list(text: &'static str) -> Vec<&'static str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// The whole message, politeness apart: no more contact. Twilio's own words first (PROVIDERS.md 2.5).
pub(super) static STOP_ALONE: Words = Words::new(|| {
    list(
        "
        stop, unsubscribe, end, quit, stopall, stop all, revoke, optout, opt out, cancel, unsub, remove,
        halt, cease, abmelden, abmeldung, abbestellen, austragen, kundigen, kuendigen, beenden, aufhoren,
        baja, darme de baja, cancelar, detener, parar, alto, arret, arreter, arretez, desabonner,
        desabonnement, desinscription, sair, pare, annulla, basta, afmelden, uitschrijven, avsluta, stopp,
        стоп, отписаться
        ",
    )
});

/// At the head of a message these mean it whatever follows: in doubt we leave people alone.
pub(super) static STOP_FIRST: Words = Words::new(|| {
    list(
        "
        stop, stopall, unsubscribe, unsub, optout, stopp, arret
        ",
    )
});

/// Right after `stop`, with nothing but a blank between: a visit, not a refusal. No word that can follow a refusal as
/// well stands here: "stop at once", "stop there".
pub(super) static STOP_VISITS: Words = Words::new(|| {
    list(
        "
        by, in, over, off, round, around
        ",
    )
});

/// Anywhere in a message, unless a negation stands right before it. `$` is the end of the message.
pub(super) static STOP_PHRASES: Words = Words::new(|| {
    list(
        "
        already unsubscribed, i unsubscribed, go away, fuck off, piss off, get lost, reporting you,
        reported you, i will report,
        stop calling, stop texting, stop messaging, stop contacting, stop sending, stop writing,
        stop emailing, stop bothering, stop harassing, stop spamming, stop all messages, stop messages,
        stop these, stop this, stop it, stop now, stop please, please stop $, unsubscribe, remove me,
        take me off, get me off, remove my number, remove my phone, delete my number, delete my data,
        delete me, erase my, lose my number, opt out, opt me out, opting out, do not contact, dont contact,
        do not call me $, dont call me $, do not call $, dont call $, dont call me again,
        do not call me again, dont call again, do not call again, dont call me any, dont call me ever,
        do not text me $, dont text me $, do not text $, dont text $, dont text me again,
        do not text me again, dont text me any, dont message me, do not message me, dont write me,
        do not write me, dont write to me, dont ever call, dont ever text, dont ever contact,
        never call me, never contact me, never text me, never message me, no more messages, no more calls,
        no more texts, no further contact, no more contact, dont want any more messages,
        dont want any more calls, dont want to be contacted, do not want to be contacted,
        dont want to be called, dont want these messages, dont want your messages, dont want your calls,
        leave me alone, leave us alone, quit calling, quit texting, quit messaging, cease and desist,
        do not disturb me, off your list, off this list, off the list, from your list, from this list,
        from the list, from your database, do not call list, dont call me anymore, do not call me anymore,
        dont text me anymore, do not text me anymore, do not call me any, do not text me any,
        dont text me ever, nicht mehr anrufen, nicht mehr schreiben, nicht mehr kontaktieren,
        nicht mehr an, nicht mehr melden, keine nachrichten mehr, keine anrufe mehr, keine sms mehr,
        keine werbung mehr, keine weiteren nachrichten, keine weiteren anrufe, keine werbung,
        melden sie mich ab, melde mich ab, abmelden, abbestellen, loschen sie meine, losch meine,
        loscht meine, austragen, aus dem verteiler, aus ihrem verteiler, aus ihrer liste, von ihrer liste,
        von der liste, horen sie auf, hor auf, hort auf, lassen sie mich in ruhe, lass mich in ruhe,
        lasst mich in ruhe, rufen sie mich nicht, rufen sie nicht mehr, ruf mich nicht,
        schreiben sie mir nicht, schreib mir nicht, kontaktieren sie mich nicht, de baja, no me llame,
        no me llamen, no me llames, no me escriba, no me escriban, no me escribas, no me contacte,
        no me contacten, no me contactes, no me manden, no me envien, no mas mensajes, no mas llamadas,
        no quiero mas mensajes, no quiero recibir, dejen de, deje de, deja de llamar, deja de escribir,
        eliminenme, elimineme, quitenme, quiteme, borrenme, borren mi, dejenme en paz, dejeme en paz,
        cancelar suscripcion, cancelar la suscripcion, desabonnez moi, me desabonner, desabonner,
        desinscrire, desinscrivez moi, desinscris moi, arretez de, arrete de, ne mappelez plus,
        ne mappelle plus, ne me contactez plus, ne me contacte plus, ne mecrivez plus, ne menvoyez plus,
        plus de messages, plus de sms, retirez moi, retirez mon, supprimez mon, supprimez mes,
        laissez moi tranquille
        ",
    )
});

/// Right before a phrase they turn it round: "don't stop calling".
pub(super) static NEGATIONS: Words = Words::new(|| {
    list(
        "
        dont, not, never, cant, cannot, wont, didnt, doesnt, shouldnt, nicht, nie, jamais
        ",
    )
});

/// The whole message, politeness apart: contact again.
pub(super) static START_ALONE: Words = Words::new(|| {
    list(
        "
        start, unstop, opt in, optin, subscribe, resubscribe
        ",
    )
});

/// Said out of politeness or temper; they change nothing.
pub(super) static FILLERS: Words = Words::new(|| {
    list(
        "
        please, pls, plz, thanks, thank, thx, ty, you, now, just, hey, hi, hello, ok, okay, no, sir, madam,
        guys, i, said, bitte, danke, jetzt, por, favor, gracias, ya, sil, vous, te, plait, svp, merci,
        kindly, immediately, sofort
        ",
    )
});

/// Written by a machine.
pub(super) static AUTO_PHRASES: Words = Words::new(|| {
    list(
        "
        out of office, out of the office, automatic reply, auto reply, autoreply, automated reply,
        automated response, automated message, automatic response, auto response, autoresponder,
        i am away until, im away until, i am on vacation, im on vacation, i am on holiday, im on holiday,
        i am on leave, on annual leave, on parental leave, currently away, currently unavailable,
        currently driving, im driving, i am driving, driving with focus, do not disturb while driving,
        will get back to you as soon as, will reply as soon as, thank you for contacting,
        thanks for contacting, thank you for your message, thanks for your message, our opening hours,
        our business hours, outside our business hours, this mailbox is not monitored, abwesenheitsnotiz,
        automatische antwort, nicht im buro, nicht im haus, bin im urlaub, vielen dank fur ihre nachricht,
        fuera de la oficina, respuesta automatica, estoy de vacaciones, gracias por contactar,
        gracias por comunicarte, absent du bureau, reponse automatique, je suis absent,
        je suis en vacances, merci de nous avoir contacte, merci pour votre message
        ",
    )
});

/// We reached somebody else.
pub(super) static WRONG_PHRASES: Words = Words::new(|| {
    list(
        "
        no longer at this number, not at this number, passed away, is deceased, has died, ist verstorben,
        ha fallecido, fallecio, est decede, est decedee,
        wrong number, wrong person, wrong phone, not the right person, not the right number,
        you have the wrong, youve got the wrong, not my name, dont know who that is,
        dont know anyone by that name, dont know anybody by that name, no one here by that name,
        nobody here by that name, no one by that name, nobody by that name, doesnt live here,
        does not live here, doesnt work here, no longer works here, not their number, not his number,
        not her number, this is not his, this is not her, changed their number, new number owner,
        falsche nummer, falsch verbunden, falsche person, kenne ich nicht, kein anschluss unter,
        bin nicht herr, bin nicht frau, numero equivocado, se equivoco, persona equivocada,
        esta equivocado, no soy el senor, no soy la senora, mauvais numero, mauvaise personne, faux numero,
        erreur de numero, vous vous trompez, trompe de numero
        ",
    )
});

/// Before a name: we reached somebody else.
pub(super) static DENIALS: Words = Words::new(|| {
    list(
        "
        im not, i am not, this is not, this isnt, ich bin nicht, hier ist nicht, no soy, je ne suis pas
        ",
    )
});

/// "I'm not ..." before any of these is about a mood, not about who somebody is.
pub(super) static NOT_A_NAME: Words = Words::new(|| {
    list(
        "
        sure, interested, in, at, available, free, able, ready, going, happy, home, the, a, an, very,
        really, that, so, too, there, here, doing, looking, well, ok, okay, feeling, buying, paying,
        convinced, certain, coming, your, working, using, on, yet, around, good, fine, allowed, planning,
        aware, opposed, against, currently, now, today, dead, done, up, for, with, to, from, as, into,
        getting, being, having, interessiert, sicher, da, zu, im, der, die, mehr, bereit, verfugbar,
        zuhause, de, un, una, interesse, interessee, sur, disponible, libre, chez, what, how, my, our,
        ever, much, necessary, possible, urgent, important, spam, helpful, funny, cool, right
        ",
    )
});

/// A clear no, whatever else is said.
pub(super) static NO_PHRASES: Words = Words::new(|| {
    list(
        "
        im good thanks, im good thank you, im all set thanks,
        not interested, no interest, no thanks, no thank you, no thankyou, no thx, no ty, nothanks,
        dont need, do not need, dont want, do not want, not for me, no longer interested, no longer need,
        not going to happen, i decline, i pass, ill pass, already have one, already bought, too expensive,
        not anymore, kein interesse, keine interesse, kein bedarf, nicht interessiert, nein danke,
        brauche ich nicht, will ich nicht, mochte nicht, mochte ich nicht, no me interesa, no gracias,
        no estoy interesado, no estoy interesada, no lo necesito, no quiero, pas interesse, pas interessee,
        non merci, ca ne minteresse pas, pas besoin, je ne veux pas, nao obrigado, nao obrigada,
        nao tenho interesse, no grazie, nee bedankt, geen interesse
        ",
    )
});

/// At the head of a message, or alone: no.
pub(super) static NO_FIRST: Words = Words::new(|| {
    list(
        "
        n, spam, scam,
        no, nope, nah, nein, non, nee, nao, never, negative, decline, declined, reject, pass, nie, nunca,
        jamais, noo, ne, нет
        ",
    )
});

/// Anywhere: yes, although a `no` may stand in it.
pub(super) static YES_PHRASES: Words = Words::new(|| {
    list(
        "
        dont stop, do not stop, no need to stop, no problem, no worries, no prob, why not, no doubt,
        no issue, not a problem, kein problem, warum nicht, no hay problema, pas de probleme, pas de souci,
        pourquoi pas, sounds good, sounds great, looks good, im in, count me in, sign me up, lets do it,
        lets do this, go ahead, im interested, i am interested, very interested, call me, give me a call,
        i would like, id like, id love, i would love, i want to, works for me, of course, will do,
        happy to, see you, ill be there, i will be there, ill come, i accept, i agree, i confirm, all good,
        na klar, hort sich gut an, klingt gut, sehr gerne, ich bin dabei, rufen sie mich an, ich mochte,
        ich komme, in ordnung, alles klar, me interesa, de acuerdo, por supuesto, esta bien, llameme,
        llamame, suena bien, claro que si, daccord, bien sur, avec plaisir, ca marche, ca minteresse,
        appelez moi, tout a fait
        ",
    )
});

/// Anywhere in a short message, unless negated: yes.
pub(super) static YES_WORDS: Words = Words::new(|| {
    list(
        "
        y,
        yes, yeah, yep, yup, yess, ya, yea, sure, ok, okay, okey, k, kk, fine, great, perfect, absolutely,
        definitely, certainly, confirm, confirmed, agreed, accept, accepted, interested, deal, good, cool,
        awesome, excellent, correct, right, affirmative, done, renew, ja, jo, jap, gerne, gern, klar,
        passt, naturlich, super, okidoki, einverstanden, bestatigt, prima, si, sip, claro, vale, bueno,
        perfecto, acepto, confirmo, confirmado, oui, ouais, volontiers, parfait, entendu, confirme, sim,
        da, да, certo, prego, hai
        ",
    )
});

/// Neither yes nor no, whatever words of those stand in it.
pub(super) static MAYBE_PHRASES: Words = Words::new(|| {
    list(
        "
        im good, i am good, im all set,
        not sure, not certain, maybe, perhaps, not yet, not really sure, let me think, ill think,
        i dont know, dont know, vielleicht, mal sehen, weiss nicht, weiss ich nicht, quizas, tal vez,
        no se, no estoy seguro, no estoy segura, peut etre, je ne sais pas, pas sur
        ",
    )
});

/// At the head of a message: a question even without its mark.
pub(super) static ASKING: Words = Words::new(|| {
    list(
        "
        what, whats, when, where, who, whos, why, how, which, can you, could you, can i, could i, do you,
        is it, is this, are you, does it, will you, was ist, was kostet, was wollen, was soll, wer, wann, wie, wo, warum, wieso, welche,
        konnen sie, kann ich, que es, quien, cuando, como, donde, cuanto, por que, cual, qui, quand,
        comment, combien, pourquoi, quel, quelle, est ce que
        ",
    )
});
