use super::*;
use proptest::prelude::*;

fn detected(text: &str, claimed: Option<&str>) -> String {
    detect(text, &claimed.map(str::to_owned).into_iter().collect::<Vec<_>>(), &[])
        .map(|language| language.to_string())
        .unwrap_or_default()
}

#[test]
fn sentences_are_told_apart() {
    for (text, code) in [
        ("The new update broke everything and support never answers", "en"),
        ("Das neue Update ist leider völlig unbrauchbar, schade", "de"),
        ("Je ne comprends pas pourquoi l'application plante tout le temps", "fr"),
        ("La nueva versión funciona de maravilla, muchas gracias", "es"),
        ("L'aggiornamento è fantastico, finalmente funziona tutto bene", "it"),
        ("Não consigo entrar na minha conta, alguém mais com esse problema?", "pt"),
        ("الخدمة سيئة جدا ولا أحد يرد على الهاتف", "ar"),
        ("यह फोन बहुत अच्छा है और बैटरी भी", "hi"),
        ("bhai ye phone bahut accha hai, maza aa gaya", "hi"),
        ("isse pehle ka update theek tha, kyun badla", "hi"),
        ("De nieuwe versie werkt helemaal niet meer, wat jammer", "nl"),
        ("今日はとても良い天気ですね", "ja"),
        ("这个手机很好用", "zh"),
        ("서비스가 정말 마음에 들어요", "ko"),
        ("Новая версия работает просто отлично, спасибо", "ru"),
        ("Τι ωραία μέρα", "el"),
        ("VMware Horizon rocks!", "en"),
        ("Das ist wirklich super", "de"),
        ("สินค้าดีมาก", "th"),
    ] {
        assert_eq!(detected(text, None), code, "{text}");
        assert_eq!(detected(&format!("@somebody {text} https://example.com/eine-seite"), None), code);
    }
}

#[test]
fn what_does_not_tell_is_what_is_claimed_or_english() {
    for text in ["fine", "VMware rocks!", "lol", "👍👍", "", "2026", "@jemand https://beispiel.de/alles-gute"]
    {
        assert_eq!(detected(text, None), "en", "{text}");
        assert_eq!(detected(text, Some("de-at")), "de", "{text}");
        assert_eq!(detected(text, Some("und")), "en", "{text}");
        assert_eq!(detected(text, Some("xq")), "en", "no language has that code");
    }
}

#[test]
fn a_claim_counts_where_the_text_does_not_tell() {
    let polish = "Ten telefon jest naprawdę świetny, polecam wszystkim";
    assert_eq!(detected(polish, Some("pl")), "pl");
    let english = "The new update broke everything and support never answers";
    for wrong in ["pl", "de", "ja", "und"] {
        assert_eq!(detected(english, Some(wrong)), "en", "{wrong}");
    }
    assert_eq!(detected("match dekhne chalte hain kal", Some("hi")), "hi");
    assert_eq!(detected("این گوشی خیلی خوب است", Some("fa")), "fa");
    assert_eq!(detected("این", Some("pes")), "fa");
}

#[test]
fn short_english_stays_english_whatever_it_resembles() {
    for text in [
        "Barilla pasta simple",
        "Excellent restaurant",
        "Nokia phone indestructible",
        "Impossible to return, Zalando",
        "Lamborghini Verstappen wins Imola",
        "Nestlé chocolate tastes fine",
        "Beyoncé x Adidas drop",
        "Superb, as always",
        "Mr Hua and the koi pond",
        "The jab was a mere formality, they hum along",
    ] {
        assert_eq!(detected(text, None), "en", "{text}");
    }
}

#[test]
fn a_few_words_tell_other_languages() {
    for (text, code) in [
        ("Danke VMware", "de"),
        ("Muchas gracias", "es"),
        ("Merci Adidas", "fr"),
        ("Che schifo Starbucks", "it"),
        ("Obrigado Nike", "pt"),
        ("Netflix är bäst", "sv"),
        ("Kocham Starbucks", "pl"),
        ("Saya suka sekali kopi Starbucks ini", "id"),
        ("Tämä puhelin on todella hyvä", "fi"),
        ("Ez a telefon nagyon jó", "hu"),
        ("netflix kya bakwas hai yaar", "hi"),
    ] {
        assert_eq!(detected(text, None), code, "{text}");
    }
    for other in ["Saya beli agar tidak lapar", "Koi maksaa liikaa", "Ke a leboha ka thuso", "Toh Guan Road"]
    {
        assert_ne!(detected(other, None), "hi", "{other}");
    }
}

#[test]
fn names_and_addresses_in_latin_letters_do_not_outweigh_the_words() {
    for (text, code) in [
        ("VMware Cloud Foundation が高い", "ja"),
        ("nVidia GeForce RTX 5090 ужас", "ru"),
        ("starbucks pumpkin spice latte это просто ужас", "ru"),
        ("Red Bull Racing φοβερό", "el"),
        ("Coca-Cola Zero 맛있다", "ko"),
        ("adidas Originals Superstar لذيذ جدا", "ar"),
        ("Super gut! docs.vmware.com/2026/the-new-way-to-run", "de"),
        ("I love ラーメン from here", "en"),
        ("Love it！！！", "en"),
        ("２０２６！！", "en"),
        ("#スターバックス #新作", "ja"),
    ] {
        assert_eq!(detected(text, None), code, "{text}");
    }
    let text = "Das Auto of the Year ist gut";
    let names = [Span { start: 0, end: text.find("ist").unwrap() }];
    assert_eq!(detect(text, &[], &names).unwrap().as_str(), "de");
}

#[test]
fn neighbours_in_one_script_are_told_apart() {
    for (text, code) in [
        ("یہ موبائل بہت مہنگا ہے", "ur"),
        ("این گوشی خیلی خوب است", "fa"),
        ("دا موبايل ډېر ښه دی", "ps"),
        ("ئەم مۆبایلە زۆر باشە", "ckb"),
        ("हा फोन खूप छान आहे", "mr"),
        ("यो फोन धेरै राम्रो छ", "ne"),
        ("ई फोन बहुत नीक बा", "bho"),
        ("Цей телефон дуже гарний", "uk"),
        ("Този телефон е много добър", "bg"),
        ("Овај телефон је одличан", "sr"),
        ("東京駅前の店", "ja"),
        ("价格太离谱了", "zh"),
    ] {
        assert_eq!(detected(text, None), code, "{text}");
    }
}

#[test]
fn every_claim_that_fits_is_heard() {
    let of = |text: &str, claims: &[&str]| {
        let claims: Vec<String> = claims.iter().map(|claim| (*claim).to_owned()).collect();
        detect(text, &claims, &[]).unwrap().to_string()
    };
    assert_eq!(of("Das ist wirklich gut", &["en", "de"]), "de", "the second one");
    assert_eq!(of("قهوه ستاربكس حلوه", &["arz"]), "arz", "a dialect that nothing detects");
    assert_eq!(of("यह फोन बहुत अच्छा है", &["mai"]), "hi", "words say another one");
    assert_eq!(of("الخدمة سيئة جدا ولا أحد يرد", &["ur"]), "ar", "letters say another one");
    assert_eq!(of("東京", &["ja"]), "ja");
    assert_eq!(of("この店は高い", &["en", "zh"]), "ja", "neither fits");
    assert_eq!(of("yeh phone bahut accha hai", &["ur"]), "ur", "Hindi's neighbours look the same");
    assert_eq!(of("The new update broke everything", &["hi"]), "en");
}

proptest! {
    #[test]
    fn any_text_and_claim_get_an_answer_without_a_panic(text in ".{0,60}", claimed in "[a-z]{2,3}") {
        detect(&text, &[claimed], &[]);
        detect(&text, &[], &[]);
    }
}
