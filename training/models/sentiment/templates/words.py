"""Words for the fields of frames. The words of a list are interchangeable."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    """Splits a text into words; "_" stands for a blank within a word."""
    return [word.replace("_", " ") for word in text.split()]


def lines(text: str) -> list[str]:
    """Splits a text into stripped lines."""
    return [line.strip() for line in text.strip().splitlines()]


NAME = _words("""
Acme Adidas Aldi Amazon AMD Android Apple Asus Azure BMW Boeing Bosch Canon Chrome Cisco Citrix Comcast Costco Dell Delta Disney
Docker Dropbox DHL eBay Ericsson ESXi Excel Facebook FedEx Fiat Firefox Ford Gmail Google GitHub Heineken Honda HP Huawei Hulu
Hyundai IBM Ikea Instagram Intel iPad iPhone Java Jira Kia Kubernetes Lenovo LG LinkedIn Linux Lyft Mac McDonalds Mercedes Microsoft
Minecraft Mozilla Nasa Netflix Nike Nintendo Nissan Nokia Nutanix Nvidia Oracle Outlook PayPal Pepsi Peugeot Photoshop PlayStation
Porsche PowerPoint Puma Python Reddit Renault Roku Ryanair Samsung SAP Siemens Slack Skype Sony Spotify Starbucks Steam Subaru Target
Telekom Tesla Teams TikTok Toyota Twitch Twitter Uber Ubuntu Unicef Verizon Visa VMware Vodafone Volvo vSAN vSphere Walmart WhatsApp
Windows Workstation Xbox Xerox Yahoo YouTube Zoom Zara Brentix Quandora Velory Tarnix Okavi Feldspar Norvane Pixelweir Cloudmoor
Hexaline Mirabond Ostrova Plenar Sugarvale Tintoro Wexley
""")
PART = _words("""
bike billing blender book breakfast browser cafe car chair checkout client clinic coffee compiler console course customer_service
delivery display driver editor emulator engine extension film firmware flight food game graphics gym hardware helpdesk hotel hotline
interface jacket kettle lamp layout library licensing login lounge mattress meal migration music network onboarding performance plot
plugin portal pricing quality range recipe refund room search server setup shipping signal site sofa sound staff storage store
story suitcase tent toaster toolbar touchpad trailer training trial tutorial upgrade vacuum voice waiter watch wifi
""")
GOOD = _words("""
good great excellent amazing awesome brilliant superb wonderful fantastic impressive reliable solid helpful fast smooth useful lovely
pleasant beautiful perfect outstanding delightful friendly convincing stable fun easy comfortable enjoyable generous tasty nice
stunning incredible exceptional marvellous top-notch neat clever handy robust sturdy trustworthy
""")
# Words whose negation is a complaint, unlike "not stunning".
DECENT = _words("""
good great reliable helpful fast smooth useful pleasant friendly convincing stable fun easy comfortable enjoyable generous tasty nice
solid any_good worth_it acceptable usable handy robust trustworthy well_made easy_to_use
""")
BAD = _words("""
bad terrible awful horrible poor disappointing useless unreliable slow buggy broken annoying confusing ugly dreadful frustrating
overpriced clumsy rude painful unusable mediocre lousy pathetic boring laggy clunky noisy flimsy insulting lame dull shoddy ridiculous rubbish crap
""")
LIKE = _words("love enjoy like adore recommend trust appreciate")
HATE = _words("hate dislike despise regret loathe detest fear")
STRONG = _words("really very so truly absolutely incredibly extremely totally seriously")
WEAK = _words("somewhat fairly rather a_bit a_little a_touch slightly moderately sort_of kind_of")
# Neutral.
KIND_OF = _words("""
wooden white green red round square digital wireless portable Swedish Spanish Japanese German monthly weekly public electric metal
plastic two-sided Chinese new yellow local silver daily vegan foldable coastal inflatable Danish Brazilian brown oval hourly striped
full-size rented
""")
FACT = lines("""
released in March
based in Hamburg
on the second floor
available in three colours
written in Go
sold in twelve countries
open until six
made of steel
part of the bundle
on the agenda for Tuesday
listed under settings
the size of a book
at the trade fair
in the other building
scheduled for Monday
older than my brother
run by a family
""")
ASIDE = lines("""
after all the talk about it
for what we paid last year
from what my colleagues tell me
with everything that has happened since spring
looking at it from the outside
considering how long we waited
for somebody like me who needs it daily
going by the last three weeks
much as I wanted it to work
if you ask the people in my office
and that is after ten years in this trade
having waited for it since spring
after so many tries
given what it costs
with such a price on it
and I say so as a fan of the first one
having seen how others do it
with half of the team working on it every day
after everything that was in the papers
and we did give it a chance
""")
MISHAP = _words("""
outage crash price_increase forced_restart delay password_reset broken_update hour_on_hold lost_parcel blue_screen licence_change
cancelled_flight data_loss double_charge security_hole
""")
# Mishaps as full phrases.
MISFORTUNE = lines("""
one more outage
the second crash this morning
prices up again
the wifi is down
forty minutes on hold
my parcel got lost
a seat that is broken
logged out for the tenth time
the site won't load
no refund after six weeks
my data is gone
they cancelled my booking
nobody picks up the phone
""")
GOOD_DEED = lines("""
replied the same day
fixed it for free
sent a spare part at once
kept its word
ran for ten years without a hitch
helped me in no time
gave me my money back
was there when we needed help
saved my weekend
went out of its way for us
""")
BAD_DEED = lines("""
never wrote back
lost my order
broke after a week
charged me twice
made us wait for a month
blamed it on me
let us down
ruined my weekend
gave up on the first day
lied to our faces
""")
PLACE = _words("Hamburg Bonn Oslo Dublin Quito Accra Manila Boston Prague Perth Dakar Delhi Turin")
PERSON = _words("Anna Tom Ibrahim Chen Rosa Pavel Amina Kofi Hana Jorge Leila Finn Deepa Marie")
DAY = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
HAPPY = lines("""
I am glad we bought it
I can't stop using it
it made my day
it does the job perfectly
I'd pick it again
I am a fan now
we are thrilled with it
worth the money
we will keep it
it saved us hours
it just works
""")
SAD = lines("""
I am sorry we bought it
I gave up on it
it ruined my day
it never does its job
I'd never pick it again
I have had enough of it
we are fed up with it
not worth the money
it went back to the shop
it cost us hours
I want a refund
it keeps failing
it drives me mad
""")
# Phrases for hashtags.
CHEER = lines("""
so good
best thing ever
love you guys
can't stop using it
happy customer
thank you
made my day
simply the best
keep it up
proud owner
worth every penny
""")
JEER = lines("""
so bad
worst thing ever
never buying again
fed up
angry customer
what a joke
ruined my day
do better
rip off
not ok
get it together
total fail
""")
WHEN = ["today", "this week", "last night", "since the update", "again", "this morning"]
# Prefixes that keep the sentiment of any sentence.
OPENING = lines("""
honestly,
update:
day three:
tbh
fwiw
ok so
well,
my two cents:
in short:
just saying,
so,
btw
""")
GLAD_EMOJI = ["😍", "🥰", "😊", "🎉", "👍", "❤️", "🔥", "💯", "🙌", "😀", "🤩", "😁", "💪"]
ANGRY_EMOJI = ["😡", "😠", "🤮", "👎", "😤", "💩", "😞", "😢", "🤬", "😒", "💔", "🙄", "😩"]
LONG_GOOD = _words("cool nice super sweet love yes great best perfect yay amazing beautiful good wow fantastic")
LONG_LIKE = _words("love like adore enjoy appreciate")
LONG_HATE = _words("hate despise dislike loathe regret")
LONG_BAD = _words("bad no why hate ugh worst boring slow annoying awful broken terrible nope horrible lame")
