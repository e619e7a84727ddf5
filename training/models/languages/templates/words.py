"""Words and frames of seven languages. Adjectives and things agree in gender where the language has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language."""

    # Things with m or f.
    things: tuple[tuple[str, str], ...]
    # Masculine and feminine.
    good: tuple[tuple[str, str], ...]
    bad: tuple[tuple[str, str], ...]
    # Frames of a thing {t} and an adjective {a}, which say what the adjective says, and the opposite.
    affirming: tuple[str, ...]
    denying: tuple[str, ...]
    # What nobody wants ({x}), as it stands after "no" and "without" in this language.
    troubles: tuple[str, ...]
    # Frames that say that trouble is not there, and that it is.
    without: tuple[str, ...]
    with_trouble: tuple[str, ...]
    # Frames of a thing: liked, disliked, and neither.
    liked: tuple[str, ...]
    disliked: tuple[str, ...]
    facts: tuple[str, ...]
    # Two sentences joined: what counts ({p}) comes last.
    but: tuple[str, ...]
    # What may stand before a sentence.
    openings: tuple[str, ...]


GERMAN = Words(
    things=(("das Rad", "m"), ("die Hotline", "f"), ("das Hotel", "m"), ("die Lieferung", "f"), ("die Pizza", "f"), ("das Album", "m"),
            ("die Bedienung", "f"), ("das Café", "m"), ("die Jacke", "f"), ("das Spiel", "m"), ("die Kamera", "f"), ("die Serie", "f")),
    good=tuple((w, w) for w in ("gut", "toll", "super", "lecker", "schön", "angenehm", "praktisch", "großartig", "zuverlässig", "freundlich", "sympathisch")),
    bad=tuple((w, w) for w in ("schlecht", "übel", "mies", "langweilig", "furchtbar", "hässlich", "nervig", "lahm", "teuer", "enttäuschend", "unfreundlich", "verkehrt")),
    affirming=("{t} ist {a}", "{t} ist wirklich {a}", "{t} war heute {a}", "ich finde, {t} ist {a}", "{a}, {t}", "wie {a} {t} doch ist"),
    denying=("{t} ist nicht {a}", "{t} ist gar nicht {a}", "{t} war nicht besonders {a}", "{t} ist echt nicht {a}", "ich finde {t} nicht {a}",
             "ich glaube nicht, dass {t} {a} ist", "nicht {a}, {t}", "{t} ist alles andere als {a}", "niemand würde sagen, {t} sei {a}", "{t} ist absolut nicht {a}"),
    troubles=("Probleme", "Fehler", "Aussetzer", "Beschwerden", "Verspätung", "Ärger", "Abstürze", "Mängel"),
    without=("keine {x}, {t} macht einfach Spaß", "bisher keine {x} gehabt, {t} läuft", "ganz ohne {x} angekommen", "hatte noch nie {x} damit",
             "{t} läuft ohne {x}", "es gab überhaupt keine {x}", "kein einziges Mal {x}"),
    with_trouble=("nur {x}, {t} kann weg", "schon wieder {x}", "ständig {x}, nie wieder", "{t}: nichts als {x}", "andauernd {x} und keiner hilft"),
    liked=("ich mag {t}", "{t} gefällt mir", "{t} kann ich empfehlen", "über {t} kann ich nicht klagen", "{t}: da gibt es nichts auszusetzen", "{t} hat mich nicht enttäuscht",
           "{t} möchte ich nicht mehr hergeben", "ohne {t} geht es nicht mehr, so gern habe ich das"),
    disliked=("ich mag {t} nicht", "{t} gefällt mir gar nicht", "{t} kann ich nicht empfehlen", "{t} funktioniert nicht", "ich bin nicht zufrieden, {t} geht zurück",
              "{t} würde ich nicht noch einmal nehmen", "{t} hat mich nicht überzeugt", "nie wieder {t}", "{t} taugt nichts", "{t} hilft kein bisschen"),
    facts=("{t} kommt am Dienstag", "heute geht es um {t}", "{t} ist nicht aus Holz", "{t} gibt es nicht in Blau", "wo ist {t}?", "{t} steht auf Seite drei",
           "{t} wurde 2019 vorgestellt", "{t} ist noch nicht erschienen", "wir haben {t} nicht gesehen"),
    but=("{n}, aber am Ende {p}", "{n}, trotzdem {p}", "zwar {n}, doch {p}"),
    openings=("", "", "", "Ehrlich: ", "Also ", "Leute, ", "Naja, ", "Update: ", "Kurz gesagt: "),
)

FRENCH = Words(
    things=(("le mixeur", "m"), ("le service client", "m"), ("cet hôtel", "m"), ("la livraison", "f"), ("la pizza", "f"), ("cet album", "m"),
            ("la vendeuse", "f"), ("le magasin", "m"), ("cette veste", "f"), ("le jeu", "m"), ("la caméra", "f"), ("ce film", "m")),
    good=(("bon", "bonne"), ("super", "super"), ("génial", "géniale"), ("excellent", "excellente"), ("agréable", "agréable"), ("pratique", "pratique"),
          ("parfait", "parfaite"), ("fiable", "fiable"), ("beau", "belle"), ("sympa", "sympa"), ("utile", "utile")),
    bad=(("mauvais", "mauvaise"), ("nul", "nulle"), ("décevant", "décevante"), ("pénible", "pénible"), ("moche", "moche"), ("lent", "lente"), ("horrible", "horrible"),
         ("ennuyeux", "ennuyeuse"), ("cher", "chère"), ("inutile", "inutile"), ("dégoûtant", "dégoûtante")),
    affirming=("{t} est {a}", "{t} est vraiment {a}", "{t} était {a} aujourd'hui", "je trouve {t} {a}", "{a}, {t}", "{t}, c'est {a}"),
    denying=("{t} n'est pas {a}", "{t} n'est vraiment pas {a}", "{t} n'était pas {a} du tout", "je ne trouve pas {t} {a}", "{t} est loin d'être {a}", "pas {a}, {t}",
             "je ne pense pas que {t} soit {a}", "{t} c'est pas {a}", "personne ne dira que {t} est {a}", "{t} n'a jamais été {a}"),
    troubles=("problème", "erreur", "panne", "souci", "retard", "plainte", "plantage", "défaut"),
    without=("aucun {x} avec {t}, un vrai plaisir", "pas un seul {x} depuis un an", "jamais eu de {x} avec {t}", "sans le moindre {x}", "{t} marche sans {x}",
             "zéro {x}, rien à dire", "il n'y a eu aucun {x}"),
    with_trouble=("encore un {x} avec {t}", "toujours le même {x}", "que des {x}s, plus jamais", "{t} : un {x} après l'autre", "un {x} de plus et personne ne répond"),
    liked=("j'aime {t}", "{t} me plaît", "je recommande {t}", "rien à redire sur {t}", "je ne me lasse pas de {t}", "{t} ne m'a pas déçu", "je ne regrette pas {t}", "on ne peut pas se plaindre de {t}"),
    disliked=("je n'aime pas {t}", "{t} ne me plaît pas", "je ne recommande pas {t}", "{t} ne marche pas", "je ne suis pas content, {t} ne sert à rien", "{t} ne m'a pas convaincu",
              "plus jamais {t}", "je n'ai jamais aimé {t}", "{t} ne vaut pas son prix", "{t} ne fonctionne toujours pas"),
    facts=("{t} arrive mardi", "on parle de {t} ce soir", "{t} n'est pas en bois", "{t} n'existe pas en bleu", "où est {t} ?", "{t} est à la page trois", "{t} date de 2019",
           "{t} n'est pas encore sorti", "nous n'avons pas vu {t}"),
    but=("{n}, mais à la fin {p}", "{n}, pourtant {p}", "certes {n}, mais {p}"),
    openings=("", "", "", "Franchement, ", "Bon, ", "Les gens, ", "Bref, ", "Mise à jour : "),
)

SPANISH = Words(
    things=(("la batidora", "f"), ("el servicio", "m"), ("este hotel", "m"), ("la entrega", "f"), ("la pizza", "f"), ("el disco", "m"), ("la camarera", "f"), ("la tienda", "f"),
            ("esta chaqueta", "f"), ("el juego", "m"), ("la cámara", "f"), ("la peli", "f")),
    good=(("bueno", "buena"), ("genial", "genial"), ("excelente", "excelente"), ("agradable", "agradable"), ("práctico", "práctica"), ("perfecto", "perfecta"),
          ("fiable", "fiable"), ("bonito", "bonita"), ("simpático", "simpática"), ("útil", "útil"), ("rico", "rica")),
    bad=(("malo", "mala"), ("pésimo", "pésima"), ("aburrido", "aburrida"), ("horrible", "horrible"), ("feo", "fea"), ("lento", "lenta"), ("caro", "cara"), ("decepcionante", "decepcionante"),
         ("inútil", "inútil"), ("asqueroso", "asquerosa"), ("molesto", "molesta")),
    affirming=("{t} es {a}", "{t} es muy {a}", "hoy {t} fue {a}", "me parece que {t} es {a}", "qué {a} es {t}", "{t}, {a} de verdad"),
    denying=("{t} no es {a}", "{t} no es nada {a}", "{t} no fue tan {a}", "no me parece que {t} sea {a}", "no creo que {t} sea {a}", "{t} no es para nada {a}", "de {a} {t} no tiene nada",
             "{t} nunca fue {a}", "nadie diría que {t} es {a}", "nada {a}, {t}"),
    troubles=("problema", "error", "fallo", "queja", "retraso", "cuelgue", "defecto", "inconveniente"),
    without=("ningún {x} con {t}, un placer", "ni un solo {x} en todo el año", "nunca he tenido un {x} con {t}", "sin ningún {x}", "{t} va sin un solo {x}", "cero {x}s, todo fenomenal",
             "no hubo ningún {x}"),
    with_trouble=("otro {x} con {t}", "siempre el mismo {x}", "solo {x}s, nunca más", "{t}: un {x} tras otro", "otro {x} más y nadie responde"),
    liked=("me gusta {t}", "me encanta {t}", "recomiendo {t}", "no tengo nada malo que decir de {t}", "no me arrepiento de {t}", "{t} no me ha decepcionado", "no puedo vivir sin {t}",
           "no me canso de {t}"),
    disliked=("no me gusta {t}", "no me gusta nada {t}", "no recomiendo {t}", "{t} no funciona", "{t} no sirve para nada", "{t} no me convence", "nunca más {t}", "nunca me gustó {t}",
              "{t} no vale lo que cuesta", "{t} sigue sin funcionar"),
    facts=("{t} llega el martes", "hoy hablamos de {t}", "{t} no es de madera", "{t} no viene en azul", "¿dónde está {t}?", "{t} está en la página tres", "{t} es de 2019", "{t} todavía no ha salido",
           "no hemos visto {t}"),
    but=("{n}, pero al final {p}", "{n}, y aun así {p}", "es verdad que {n}, pero {p}"),
    openings=("", "", "", "La verdad, ", "Bueno, ", "Gente, ", "En fin, ", "Actualización: "),
)

ITALIAN = Words(
    things=(("il frullatore", "m"), ("il servizio", "m"), ("questo albergo", "m"), ("la consegna", "f"), ("la pizza", "f"), ("il disco", "m"), ("la commessa", "f"), ("il negozio", "m"),
            ("questa giacca", "f"), ("il gioco", "m"), ("la macchina", "f"), ("il film", "m")),
    good=(("buono", "buona"), ("ottimo", "ottima"), ("bello", "bella"), ("fantastico", "fantastica"), ("comodo", "comoda"), ("perfetto", "perfetta"), ("affidabile", "affidabile"),
          ("simpatico", "simpatica"), ("utile", "utile"), ("gradevole", "gradevole")),
    bad=(("brutto", "brutta"), ("pessimo", "pessima"), ("noioso", "noiosa"), ("orribile", "orribile"), ("lento", "lenta"), ("caro", "cara"), ("deludente", "deludente"), ("inutile", "inutile"),
         ("schifoso", "schifosa"), ("cattivo", "cattiva")),
    affirming=("{t} è {a}", "{t} è davvero {a}", "oggi {t} era {a}", "secondo me {t} è {a}", "che {a} {t}", "{t}, {a} sul serio"),
    denying=("{t} non è {a}", "{t} non è per niente {a}", "{t} non era così {a}", "non mi sembra che {t} sia {a}", "non credo che {t} sia {a}", "{t} è tutt'altro che {a}", "{t} non è mica {a}",
             "{t} non è mai stato {a}", "nessuno direbbe che {t} è {a}", "non {a}, {t}"),
    troubles=("problema", "errore", "guasto", "difetto", "ritardo", "reclamo", "blocco", "intoppo"),
    without=("nessun {x} con {t}, un piacere", "neanche un {x} in tutto l'anno", "mai avuto un {x} con {t}", "senza un solo {x}", "{t} va senza alcun {x}", "zero {x}, che meraviglia",
             "non c'è stato nessun {x}"),
    with_trouble=("un altro {x} con {t}", "sempre lo stesso {x}", "solo {x}, mai più", "{t}: un {x} dopo l'altro", "l'ennesimo {x} e nessuno risponde"),
    liked=("mi piace {t}", "adoro {t}", "consiglio {t}", "niente da ridire, {t} vale", "non mi pento di {t}", "{t} non mi ha deluso", "non posso vivere senza {t}", "di {t} non mi lamento"),
    disliked=("non mi piace {t}", "non mi piace affatto {t}", "non consiglio {t}", "{t} non funziona", "{t} non serve a niente", "{t} non mi convince", "mai più {t}", "non mi è mai piaciuto {t}",
              "{t} non vale quello che costa", "{t} continua a non funzionare"),
    facts=("{t} arriva martedì", "oggi si parla di {t}", "{t} non è di legno", "{t} non c'è in blu", "dov'è {t}?", "{t} sta a pagina tre", "{t} è del 2019", "{t} non è ancora uscito",
           "non abbiamo visto {t}"),
    but=("{n}, ma alla fine {p}", "{n}, eppure {p}", "è vero, {n}, però {p}"),
    openings=("", "", "", "Sinceramente, ", "Beh, ", "Ragazzi, ", "Insomma, ", "Aggiornamento: "),
)

PORTUGUESE = Words(
    things=(("o liquidificador", "m"), ("o atendimento", "m"), ("este hotel", "m"), ("a entrega", "f"), ("a pizza", "f"), ("o disco", "m"), ("a vendedora", "f"), ("a loja", "f"),
            ("esta jaqueta", "f"), ("o jogo", "m"), ("a câmera", "f"), ("o filme", "m")),
    good=(("bom", "boa"), ("ótimo", "ótima"), ("legal", "legal"), ("excelente", "excelente"), ("agradável", "agradável"), ("prático", "prática"), ("perfeito", "perfeita"),
          ("bonito", "bonita"), ("simpático", "simpática"), ("útil", "útil"), ("gostoso", "gostosa")),
    bad=(("ruim", "ruim"), ("mau", "má"), ("péssimo", "péssima"), ("chato", "chata"), ("horrível", "horrível"), ("feio", "feia"), ("lento", "lenta"), ("caro", "cara"),
         ("decepcionante", "decepcionante"), ("inútil", "inútil"), ("nojento", "nojenta")),
    affirming=("{t} é {a}", "{t} é muito {a}", "hoje {t} foi {a}", "acho que {t} é {a}", "que {a} {t}", "{t}, {a} mesmo"),
    denying=("{t} não é {a}", "{t} não é nada {a}", "{t} não foi tão {a}", "não acho {t} {a}", "não acho que {t} seja {a}", "{t} está longe de ser {a}", "de {a} {t} não tem nada",
             "{t} nunca foi {a}", "ninguém diria que {t} é {a}", "nada {a}, {t}"),
    troubles=("problema", "erro", "defeito", "atraso", "engano", "travamento", "contratempo", "aborrecimento"),
    without=("nenhum {x} com {t}, um prazer", "nem um {x} o ano todo", "nunca tive um {x} com {t}", "sem nenhum {x}", "{t} funciona sem um único {x}", "zero {x}s, que maravilha",
             "não houve nenhum {x}"),
    with_trouble=("mais um {x} com {t}", "sempre o mesmo {x}", "só {x}s, nunca mais", "{t}: um {x} atrás do outro", "outro {x} e ninguém responde"),
    liked=("eu gosto, {t} vale a pena", "adoro {t}", "recomendo {t}", "não tenho do que reclamar, {t} cumpre", "não me arrependo, {t} compensa", "{t} não me decepcionou", "não vivo sem {t}",
           "{t} não deixa a desejar"),
    disliked=("não gosto, {t} é assim", "não gostei nada, {t} de novo", "não recomendo {t}", "{t} não funciona", "{t} não serve para nada", "{t} não me convenceu", "nunca mais {t}",
              "{t} deixa a desejar", "{t} não vale o preço", "{t} continua sem funcionar"),
    facts=("{t} chega na terça", "hoje o assunto é {t}", "{t} não é de madeira", "{t} não tem em azul", "onde está {t}?", "{t} está na página três", "{t} é de 2019", "{t} ainda não saiu",
           "não vimos {t}"),
    but=("{n}, mas no fim {p}", "{n}, mesmo assim {p}", "verdade que {n}, porém {p}"),
    openings=("", "", "", "Sinceramente, ", "Bom, ", "Gente, ", "Enfim, ", "Atualização: "),
)

ARABIC = Words(
    things=(("الخلاط", "m"), ("الفندق", "m"), ("المطعم", "m"), ("التوصيل", "m"), ("البيتزا", "f"), ("الألبوم", "m"), ("المحل", "m"), ("السترة", "f"), ("اللعبة", "f"),
            ("الكاميرا", "f"), ("الفيلم", "m"), ("الشركة", "f")),
    good=(("جيد", "جيدة"), ("رائع", "رائعة"), ("ممتاز", "ممتازة"), ("جميل", "جميلة"), ("لذيذ", "لذيذة"), ("مفيد", "مفيدة"), ("مريح", "مريحة"), ("ممتع", "ممتعة"), ("حلو", "حلوة")),
    bad=(("سيئ", "سيئة"), ("سيء", "سيئة"), ("فاشل", "فاشلة"), ("ممل", "مملة"), ("قبيح", "قبيحة"), ("بطيء", "بطيئة"), ("مزعج", "مزعجة"), ("رديء", "رديئة"), ("مخيب للآمال", "مخيبة للآمال"),
         ("زبالة", "زبالة")),
    affirming=("{t} {a}", "{t} {a} جدا", "{t} فعلا {a}", "أرى أن {t} {a}", "{t} {a} للغاية", "{t} كان {a}", "{a} جدا {t}"),
    denying=("{t} مش {a}", "{t} غير {a}", "{t} مو {a} أبدا", "لا أظن أن {t} {a}", "{t} ليس {a}", "{t} مش {a} خالص", "ما أشوف {t} {a}", "لا أحد يقول إن {t} {a}", "مش {a} {t}"),
    troubles=("مشكلة", "خطأ", "عطل", "تأخير", "شكوى", "عيب", "خلل"),
    without=("لا {x} مع {t} والحمد لله", "بدون أي {x}", "ما صار معي أي {x}", "{t} يعمل بلا {x}", "لم أواجه أي {x} مع {t}", "ولا {x} واحد طول السنة"),
    with_trouble=("{x} من جديد مع {t}", "كل يوم {x}", "{x} ورا {x} ومحد يرد", "{t}: نفس {x} دائما", "دائما {x} ولا أحد يساعد"),
    liked=("أحب {t}", "عجبني {t}", "أنصح بتجربة {t}", "ما عندي أي شكوى من {t}", "لا أستغني عن {t}", "{t} لم يخيب ظني", "لا غبار على {t}"),
    disliked=("لا أحب {t}", "ما عجبني {t}", "لا أنصح بتجربة {t}", "{t} لا يعمل", "{t} ما ينفع", "لست راضيا عن {t}", "{t} لا يستحق السعر", "ما حبيت {t} أبدا", "لن أكرر التجربة مع {t}"),
    facts=("{t} يصل يوم الثلاثاء", "نتحدث اليوم عن {t}", "{t} غير مصنوع من الخشب", "{t} لا يتوفر باللون الأزرق", "أين {t}؟", "{t} في الصفحة الثالثة", "{t} من عام 2019", "{t} لم يصدر بعد",
           "لم نر {t}"),
    but=("{n} لكن في النهاية {p}", "{n} ومع ذلك {p}", "صحيح {n} بس {p}"),
    openings=("", "", "", "بصراحة ", "يا جماعة ", "والله ", "باختصار ", "تحديث: "),
)

HINDI = Words(
    things=(("mixer", "m"), ("service", "f"), ("hotel", "m"), ("delivery", "f"), ("pizza", "m"), ("gaana", "m"), ("dukaan", "f"), ("jacket", "f"), ("game", "m"), ("camera", "m"), ("film", "f"),
            ("company", "f")),
    good=(("accha", "acchi"), ("badhiya", "badhiya"), ("mast", "mast"), ("zabardast", "zabardast"), ("sundar", "sundar"), ("kamaal ka", "kamaal ki"), ("pyaara", "pyaari"), ("best", "best")),
    bad=(("bura", "buri"), ("bekar", "bekar"), ("ghatiya", "ghatiya"), ("bakwas", "bakwas"), ("kharab", "kharab"), ("boring", "boring"), ("mehnga", "mehngi"), ("faltu", "faltu")),
    affirming=("ye {t} {a} hai", "{t} bahut {a} hai", "{t} sach mein {a} tha", "mujhe {t} {a} lagta hai", "kitna {a} hai ye {t}", "{t} ekdum {a}"),
    denying=("ye {t} {a} nahi hai", "{t} bilkul {a} nahi hai", "{t} itna {a} nahi tha", "mujhe {t} {a} nahi lagta", "{t} kahin se bhi {a} nahi", "mai nahi kahunga ki {t} {a} hai",
             "{a} nahi hai {t}", "{t} {a} to bilkul nahi"),
    troubles=("dikkat", "problem", "galti", "shikayat", "pareshani", "kami", "gadbad"),
    without=("{t} mein koi {x} nahi", "ek bhi {x} nahi aayi poore saal", "bina kisi {x} ke chalta hai {t}", "kabhi koi {x} nahi hui", "{t} se koi {x} nahi hai"),
    with_trouble=("phir se {x}", "{t} mein roz {x}", "hamesha wahi {x}", "{x} pe {x}, koi jawab nahi deta", "{t} matlab sirf {x}"),
    liked=("mujhe {t} pasand hai", "{t} pasand aaya", "{t} zaroor lena", "{t} ne niraash nahi kiya", "{t} ke bina maza nahi", "{t} ki koi shikayat nahi"),
    disliked=("mujhe {t} pasand nahi", "{t} pasand nahi aaya", "{t} mat lena", "{t} kaam nahi karta", "{t} kisi kaam ka nahi", "{t} se khush nahi hu", "dobara kabhi nahi lunga {t}",
              "{t} paise ke layak nahi", "{t} ab bhi nahi chal raha"),
    facts=("{t} mangalwar ko aayega", "aaj {t} ki baat karenge", "{t} lakdi ka nahi hai", "{t} neele rang mein nahi milta", "{t} kahan hai?", "{t} page teen pe hai", "{t} 2019 ka hai",
           "{t} abhi tak nahi aaya", "humne {t} nahi dekha"),
    but=("{n}, lekin aakhir mein {p}", "{n}, phir bhi {p}", "haan {n}, par {p}"),
    openings=("", "", "", "sach kahu to ", "yaar ", "bhai ", "dosto ", "update: "),
)

LANGUAGES = {"ar": ARABIC, "de": GERMAN, "es": SPANISH, "fr": FRENCH, "hi": HINDI, "it": ITALIAN, "pt": PORTUGUESE}
