//! Languages that share a script other than the Latin one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::language;
use super::prose::Prose;
use super::script::{Census, Script};
use crate::domain::Language;

/// The languages that are written in a script, the main one first. Those of one script are told apart
/// by [`MARKS`], or where they have none there, by claims alone.
const LANGUAGES: &[(Script, &str)] = &[
    (
        Script::Cyrillic,
        "ru uk bg sr mk be kk ky tg tt ba cv mn os sah ab ce av udm kv mhr myv mdf bua tyv kum lez inh krc ady kbd rue bs uz az",
    ),
    (Script::Greek, "el grc"),
    (
        Script::Arabic,
        "ar arz ary arq aeb apc acm afb ars fa prs ur ps ckb ku sdh sd ug pnb skr pa bal ks glk mzn lrc azb bqi luz khw brh haz uzs kk ha ms",
    ),
    (
        Script::Devanagari,
        "hi mr ne bho mai sa kok gom doi brx awa bgc mag hne raj new sd ks sat gbm kfy bhb dty",
    ),
    (Script::Han, "zh ja yue wuu nan hak gan lzh cdo"),
    (Script::Kana, "ja ryu ain"),
    (Script::Hangul, "ko jje"),
    (Script::Hebrew, "he yi lad"),
    (Script::Bengali, "bn as mni bpy syl ctg rkt"),
    (Script::Gurmukhi, "pa"),
    (Script::Gujarati, "gu kfr"),
    (Script::Oriya, "or"),
    (Script::Tamil, "ta"),
    (Script::Telugu, "te"),
    (Script::Kannada, "kn tcy kok"),
    (Script::Malayalam, "ml"),
    (Script::Sinhala, "si pi"),
    (Script::Thai, "th tts nod pi"),
    (Script::Lao, "lo"),
    (Script::Tibetan, "bo dz"),
    (Script::Burmese, "my shn mnw ksw blk"),
    (Script::Georgian, "ka xmf"),
    (Script::Armenian, "hy hyw"),
    (Script::Ethiopic, "am ti tig gez"),
    (Script::Khmer, "km"),
    (Script::Thaana, "dv"),
    (Script::Tifinagh, "zgh shi ber kab"),
    (Script::Mongolian, "mn mnc"),
    (Script::Cherokee, "chr"),
    (Script::Syllabics, "iu cr oj"),
];

/// What only some languages of a script have.
struct Marks {
    script: Script,
    language: &'static str,
    /// Letters that no other one has.
    letters: &'static str,
    /// Letters that a few have.
    shared: &'static str,
    words: &'static str,
}

const MARKS: &[Marks] = &[
    Marks {
        script: Script::Arabic,
        language: "ar",
        letters: "ةىأإؤ",
        shared: "يك",
        words: "في من على إلى عن هذا هذه ذلك التي الذي ما لا لم لن أن إن كان مع كل بعد قبل هو هي انا أنا انت مش مو بس شو ليش وين كيف يا الله جدا والله اللي لو حتى بين ولا قد عند غير",
    },
    Marks {
        script: Script::Arabic,
        language: "fa",
        letters: "",
        shared: "پچژگیک",
        words: "است این که را از به با برای خیلی هم نیست شد می‌شود می بود هست آن خوب دارد من ما شما چه چرا ولی اما تا یک کرد کنم کنید شده باید بسیار بی نه خودم ندارد دارم",
    },
    Marks {
        script: Script::Arabic,
        language: "ur",
        letters: "ٹڈڑںےہۓ",
        shared: "ھپچگیک",
        words: "ہے ہیں اور کے کی کا میں سے یہ نہیں کو بہت نے پر بھی تھا ہو گیا کیا مجھے وہ اچھا ہی تو",
    },
    Marks {
        script: Script::Arabic,
        language: "ps",
        letters: "ټډړږښګڼېۍځڅ",
        shared: "پچژی",
        words: "دی چې په زما ډېر ښه سره کې",
    },
    Marks {
        script: Script::Arabic,
        language: "ckb",
        letters: "ێۆڕڵڤ",
        shared: "ەپچژگیک",
        words: "لە بە ئەم ئەو کە زۆر باشە بۆ من نییە هەموو دەکات ئێمە",
    },
    Marks {
        script: Script::Arabic,
        language: "sd",
        letters: "ٻٺٽڃڄڌڏڊڍڙڦڪڱڳڻڀٿڇ",
        shared: "پچگي",
        words: "آهي ۾ ۽ سٺو",
    },
    Marks {
        script: Script::Arabic,
        language: "ug",
        letters: "ۇۈۋڭۆې",
        shared: "ەپچگ",
        words: "بۇ ۋە بىلەن ئۈچۈن بىر ياخشى",
    },
    Marks {
        script: Script::Devanagari,
        language: "hi",
        letters: "",
        shared: "ड़ढ़",
        words: "है हैं का की के में से को नहीं और यह ये वह था थी थे हूँ हूं पर भी ने तो कर रहा रही रहे बहुत अच्छा अच्छी बढ़िया मैं मुझे हम आप क्या कोई गया गयी कुछ लिए सकते हो एक मेरा मेरी अब इस उस बेकार नही",
    },
    Marks {
        script: Script::Devanagari,
        language: "mr",
        letters: "ळ",
        shared: "",
        words: "आहे आहेत आणि नाही नाहीत मी आम्ही तुम्ही छान खूप झाले झाला झाली मला हा ही हे होते होता होती केले करून पण का काय ते तो ती माझा माझी माझे तर साठी मध्ये आता अगदी सर्व खुप वर नको मस्त च्या",
    },
    Marks {
        script: Script::Devanagari,
        language: "ne",
        letters: "",
        shared: "",
        words: "छ छन् छैन हो र को मा लाई यो धेरै राम्रो भयो हुन्छ गर्न गरेको मलाई तपाईं तपाई हामी मेरो नेपाल पनि भने अनि गर्नुहोस् थियो हुन् बाट सबै कस्तो",
    },
    Marks {
        script: Script::Devanagari,
        language: "bho",
        letters: "",
        shared: "",
        words: "बा बाटे बानी बाड़ी रहल हवे हऽ ह नीक ई हमनी रउआ रउरा तोहार हमार भइल गइल कइल कइसे काहे नइखे आइल बाड़े का के ऊ खातिर",
    },
    Marks {
        script: Script::Devanagari,
        language: "mai",
        letters: "",
        shared: "",
        words: "अछि छी छथि छै नहि अहाँ हमर बहुते नीक ई एहि ओ केँ सँ",
    },
    Marks {
        script: Script::Devanagari,
        language: "sa",
        letters: "",
        shared: "",
        words: "अस्ति भवति च एव न अहम् त्वम् सः तत् इति किम् अपि भवन्ति सन्ति",
    },
    Marks {
        script: Script::Cyrillic,
        language: "ru",
        letters: "",
        shared: "ыэъёщ",
        words: "и в не на что это как он я с мы по очень так но все всё для бы у меня вы за от было уже мне есть просто нет",
    },
    Marks {
        script: Script::Cyrillic,
        language: "uk",
        letters: "їєґ",
        shared: "іщ",
        words: "і та не на що це як він я з ми дуже але всі для мене ви від було вже мені є просто немає цей дякую чи бо",
    },
    Marks {
        script: Script::Cyrillic,
        language: "be",
        letters: "ў",
        shared: "іыэ",
        words: "і не на што гэта як ён я з мы вельмі але усе для мяне вы ад было ўжо мне ёсць дзякуй",
    },
    Marks {
        script: Script::Cyrillic,
        language: "bg",
        letters: "",
        shared: "ъщ",
        words: "и не на че това как той аз с ние много но за ме вие от беше вече ми има просто няма е са се да си съм този благодаря",
    },
    Marks {
        script: Script::Cyrillic,
        language: "sr",
        letters: "ђћ",
        shared: "љњџј",
        words: "и не на што ово како он ја са ми веома али све за ме ви од било већ је су се да хвала овај",
    },
    Marks {
        script: Script::Cyrillic,
        language: "mk",
        letters: "ѓќѕ",
        shared: "љњџј",
        words: "и не на што ова како тој јас со ние многу но за ме вие од беше веќе е се да благодарам овој",
    },
    Marks {
        script: Script::Cyrillic,
        language: "kk",
        letters: "ұ",
        shared: "әғқңөүһіыэ",
        words: "және бұл өте жақсы мен үшін емес бар жоқ рахмет",
    },
    Marks {
        script: Script::Cyrillic,
        language: "tt",
        letters: "җ",
        shared: "әңөүһыэ",
        words: "һәм бу бик яхшы мин өчен түгел бар юк рәхмәт",
    },
    Marks {
        script: Script::Cyrillic,
        language: "mn",
        letters: "",
        shared: "өүыэ",
        words: "энэ маш сайн байна бол нь юм гэж би та ба",
    },
    Marks {
        script: Script::Cyrillic,
        language: "tg",
        letters: "ӣҳҷӯ",
        shared: "ғқэ",
        words: "ва ин хеле хуб аст барои нест ман шумо ки",
    },
    Marks { script: Script::Bengali, language: "bn", letters: "র", shared: "", words: "" },
    Marks { script: Script::Bengali, language: "as", letters: "ৰৱ", shared: "", words: "" },
];

/// The words of each language in [`MARKS`].
static WORDS: LazyLock<HashMap<&str, HashSet<&str>>> =
    LazyLock::new(|| MARKS.iter().map(|marks| (marks.language, marks.words.split(' ').collect())).collect());

/// Kanji that Chinese writes in another form.
const JAPANESE_HAN: &str =
    "駅営変売読発対気図価権様働込渋桜円広戦経験実楽薬検険総続絵黒歩毎単鉄転軽悪拡択沢済帰蔵応";
/// Chinese has this many Han characters to a kana at least, if any: の in names of shops.
const HAN_TO_KANA: usize = 8;

/// The points of a letter that one language has, one that a few have, a word, and a claim.
const LETTER: f32 = 2.0;
const SHARED: f32 = 0.5;
const WORD: f32 = 1.0;
/// The article that Arabic words begin with.
const ARTICLE: f32 = 0.5;
const CLAIM: f32 = 2.5;
/// Evidence of another language that outweighs a claim of one without marks.
const SURE: f32 = 4.0;

/// Whether a language is written in other letters than Latin ones.
pub(super) fn is_written_otherwise(language: Language) -> bool {
    // These are written in both.
    const IN_BOTH: &[&str] =
        &["az", "bs", "ha", "ku", "ms", "sr", "uz", "kab", "shi", "ber", "lad", "cr", "oj", "pi", "nan"];
    !IN_BOTH.contains(&language.as_str())
        && LANGUAGES.iter().any(|(_, codes)| codes.split(' ').any(|code| code == language.as_str()))
}

/// The language of a text in a script other than the Latin one.
pub(super) fn language_of(
    prose: &Prose,
    script: Script,
    census: &Census,
    claims: &[Language],
) -> Option<Language> {
    let script = if matches!(script, Script::Han | Script::Kana) {
        chinese_or_japanese(prose, census)
    } else {
        script
    };
    let codes = LANGUAGES.iter().find(|(listed, _)| *listed == script)?.1;
    let fits = |claim: &Language| codes.split(' ').any(|code| code == claim.as_str());
    let claims: Vec<Language> = claims.iter().copied().filter(fits).collect();
    let main = language(codes.split(' ').next()?);
    let marks = || MARKS.iter().filter(|marks| marks.script == script);
    let mut letters: Vec<char> = prose.text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let words: HashSet<&str> = prose.words().collect();
    let points = |marks: &Marks| {
        let language = language(marks.language);
        (language, points(marks, &letters, &words) + if claims.contains(&language) { CLAIM } else { 0.0 })
    };
    let mut best = (main, marks().next().map_or(0.0, |marks| points(marks).1));
    for (language, points) in marks().skip(1).map(points) {
        if points > best.1 {
            best = (language, points);
        }
    }
    let is_marked = |claim: &Language| marks().any(|marks| marks.language == claim.as_str());
    let unmarked = claims.iter().copied().find(|claim| !is_marked(claim));
    Some(match unmarked {
        // Dialects have the marks of their language, and so have many neighbours.
        Some(claim) if !claims.contains(&best.0) && (best.0 == main || best.1 < SURE) => claim,
        _ => best.0,
    })
}

/// The points of a language for the different letters, which are sorted, and words of a text.
fn points(marks: &Marks, letters: &[char], words: &HashSet<&str>) -> f32 {
    let count = |marked: &str| marked.chars().filter(|letter| letters.binary_search(letter).is_ok()).count();
    let listed = WORDS.get(marks.language).map_or(0, |listed| words.intersection(listed).count());
    let is_arabic = marks.language == "ar";
    let has_article = |word: &&&str| word.starts_with("ال") && word.chars().count() > 3;
    let articles = if is_arabic { words.iter().filter(has_article).count() } else { 0 };
    #[expect(clippy::cast_precision_loss, reason = "a text has at most some thousand words")]
    let points = |count: usize, each: f32| count as f32 * each;
    points(count(marks.letters), LETTER)
        + points(count(marks.shared), SHARED)
        + points(listed, WORD)
        + points(articles, ARTICLE)
}

/// Kana tells Japanese, and so do its own forms of characters; a claim may tell it too.
fn chinese_or_japanese(prose: &Prose, census: &Census) -> Script {
    let (han, kana) = (census.count(Script::Han), census.count(Script::Kana));
    let is_japanese =
        kana * HAN_TO_KANA >= han || prose.text.chars().any(|letter| JAPANESE_HAN.contains(letter));
    if is_japanese { Script::Kana } else { Script::Han }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_of_languages_of_their_script() {
        for marks in MARKS {
            let (_, codes) = LANGUAGES.iter().find(|(script, _)| *script == marks.script).unwrap();
            assert!(codes.split(' ').any(|code| code == marks.language), "{}", marks.language);
        }
        for (script, codes) in LANGUAGES {
            let first = MARKS.iter().find(|marks| marks.script == *script);
            assert!(
                first.is_none_or(|marks| codes.starts_with(marks.language)),
                "the main language is first"
            );
            for code in codes.split(' ') {
                assert_eq!(language(code).as_str(), code);
            }
        }
    }
}
