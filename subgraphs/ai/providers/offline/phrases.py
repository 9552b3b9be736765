"""The grammar's sentence templates: for each of the fourteen beats, slots with alternative sentences.

A scene takes one sentence from each of its slots, so no sentence occurs twice in a book.
"""

from __future__ import annotations

Slot = tuple[str, ...]

BEATS: tuple[tuple[Slot, ...], ...] = (
    (  # 1: home
        (
            "In a house with a crooked chimney lived a child called {name}.",
            "At the end of a quiet street, where the sparrows meet, lived {name}.",
            "There was once a child called {name}, who lived behind a round blue door.",
        ),
        (
            "{They} had {look}, and pockets full of useful things.",
            "{They} had {look}, and a laugh that could be heard three gardens away.",
            "{They} had {look}, and always one sock a little lower than the other.",
        ),
        (
            "Best of all {they} loved {interests}.",
            "Nobody in the whole street loved {interests} as much as {they} did.",
            "If you asked what made a day a good day, {they} said: {interests}.",
        ),
    ),
    (  # 2: the wish
        ("{wish_introduction}",),
        (
            "{They} thought of it at breakfast and while looking for {their} shoes.",
            "{They} told it to the cat next door, to the moon and to both goldfish.",
            "{They} carried it about all day, like a warm stone in a pocket.",
        ),
        (
            "“Wishes are shy,” said Grandmother. “They come to those who set out.”",
            "“A wish that big,” said Grandfather, “needs good shoes and a good friend.”",
            "And a wish that is thought of so often, as everyone knows, begins to stir.",
        ),
    ),
    (  # 3: the sign
        (
            "One morning there was something at the door: {sign}.",
            "Then, on a Tuesday of all days, {name} found {sign}.",
            "It was still early when {name} saw it on the doorstep: {sign}.",
        ),
        (
            "“Is that for me?” {they} whispered.",
            "{Their} heart went thump, and then thump again.",
            "{They} looked left, {they} looked right, and nobody was there.",
        ),
        (
            "It was telling {them}, without a single word, to come along.",
            "There was no name on it, but {they} knew: this was how the wish began.",
            "And all at once {they} knew which way to go.",
        ),
    ),
    (  # 4: setting out
        (
            "{name} packed an apple, a torch and {their} bravest face.",
            "An apple, a warm jumper, a last look back: {name} was ready.",
            "“Back by supper!” called {name}, and the door fell shut.",
        ),
        (
            "Off {they} went, {road}.",
            "The way led {road}.",
            "Then {they} {was} on {their} way, {road}.",
        ),
        (
            "With every step home grew smaller, and the wish grew bigger.",
            "{They} sang the whole way, because singing makes a road shorter.",
            "Not once did {they} look back. Well, perhaps once.",
        ),
    ),
    (  # 5: the land
        (
            "And there it lay: {land}.",
            "Behind the last bend, {name} stood still. This had to be {land}.",
            "“Oh,” said {name}, for this was {land}.",
        ),
        (
            "Here {wonder}.",
            "{Wonder}, and the air smelled of adventures.",
            "It was true what they say: {wonder}.",
        ),
        (
            "{name} thought of {interest}, and felt a little bit at home.",
            "It was every bit as wonderful as {interest}, and that is saying something.",
            "Not even in {their} dreams about {interest} had {they} seen anything like it.",
        ),
    ),
    (  # 6: the helper
        (
            "“You took your time,” said a voice. It was {helper_look}.",
            "Something moved. Out came {helper_look}.",
            "Just then {they} almost tripped over {helper_look}.",
        ),
        (
            "“My name is {helper}. Are you looking for {goal} too?”",
            "“{helper},” said {helper}, and bowed. “I know the way to {goal}. Most of it.”",
            "“I am {helper}. To {goal} it is not far, when there are two of us.”",
        ),
        (
            "{name} shared the apple, and from then on they were friends.",
            "“I am {name},” said {name}, and that is how friendships begin.",
            "They shook hands and paws and whatever else there was to shake.",
        ),
    ),
    (  # 7: the obstacle
        (
            "Side by side they went on, until they could go no further.",
            "They had not gone far when {helper} stopped short.",
            "All went well, right up to the moment when it did not.",
        ),
        (
            "Before them was {obstacle}.",
            "In front of them lay {obstacle}.",
            "There, right in the way: {obstacle}.",
        ),
        (
            "“And {goal} is on the other side,” said {helper} in a small voice.",
            "{name} swallowed. Nobody had said anything about that.",
            "“Hm,” said {name}. “Hm,” said {helper}. It was a two-hm problem.",
        ),
    ),
    (  # 8: the first try
        (
            "“I can do it!” cried {name}.",
            "“Stand back,” said {name}, and rolled up both sleeves.",
            "“That cannot be so hard,” said {name}.",
        ),
        (
            "{They} took a deep breath and {first_try}.",
            "And before {helper} could say a word, {they} {first_try}.",
            "{They} counted to three and {first_try}.",
        ),
        (
            "{helper} hardly dared to look.",
            "“Almost!” shouted {helper}. “Almost, almost, almost!”",
            "For one moment it looked as if it would work.",
        ),
    ),
    (  # 9: the failure
        (
            "But {failure}.",
            "And then {failure}.",
            "It did not work: {failure}.",
        ),
        (
            "{name} sat down on the ground and did not feel like talking.",
            "{They} blinked hard, the way you do when you are not crying.",
            "All the courage ran out of {them} like sand out of a shoe.",
        ),
        (
            "“Maybe some wishes are simply too big,” {they} said.",
            "“I want to go home,” {they} said, very quietly.",
            "“I am too small for this,” {they} muttered.",
        ),
    ),
    (  # 10: comfort
        (
            "{helper} sat down close beside {them}. For a while nobody spoke.",
            "{helper} said nothing at first, and leaned against {them}, warm and soft.",
            "The first stars came out, and {helper} moved a little nearer.",
        ),
        ("“{counsel}”",),
        (
            "{name} thought about that, for as long as it takes to count eleven stars.",
            "{name} wiped {their} nose and listened. Really listened.",
            "Something in {name} grew quiet, and something else woke up.",
        ),
    ),
    (  # 11: the second try
        (
            "Then {name} remembered {lesson}.",
            "And as {they} sat there, it came back to {them} {lesson}.",
            "Suddenly it was all quite simple. Had {they} not learned {lesson}?",
        ),
        (
            "“Once more,” said {name}, “but differently this time.”",
            "“Will you help me?” {they} asked. “I thought you would never ask,” said {helper}.",
            "“Together?” asked {name}. “Together,” said {helper}.",
        ),
        (
            "So {name} {second_try}.",
            "And {name} {second_try}.",
            "Then {they} {second_try}.",
        ),
    ),
    (  # 12: success
        (
            "{success}.",
            "And would you believe it? {success}.",
            "Slowly, slowly, it began to work. {success}.",
        ),
        (
            "“We did it!” shouted {name}, so loudly that it echoed twice.",
            "{name} hugged {helper}, and {helper} hugged right back.",
            "{helper} did a somersault, and then {name} did one too.",
        ),
        (
            "Behind them lay {obstacle_name}, and it did not look so big any more.",
            "And before them, shining in the morning light, lay {goal}.",
            "It had not been too big after all. Not for two.",
        ),
    ),
    (  # 13: the wish comes true
        (
            "At last they had found it: {goal}.",
            "They had come so far, and now they were there: {goal}.",
            "Nobody needed to say it. This was what they had come for: {goal}.",
        ),
        ("{wish_fulfilment}",),
        (
            "To remember it by, {helper} gave {name} {gift}.",
            "“For you,” said {helper}, and put {gift} into {their} hand.",
            "And waiting there, for {name} and nobody else, was {gift}.",
        ),
    ),
    (  # 14: home
        (
            "By supper {name} was back, just as {they} had promised.",
            "The way home is always shorter, and soon {name} was in {their} own bed.",
            "That night {name} lay under the good old blanket, with grass still in {their} hair.",
        ),
        (
            "On the windowsill lay {gift}.",
            "Under the pillow, safe and sound, was {gift}.",
            "In one hand {they} still held {gift}.",
        ),
        (
            "“Good night, {helper},” {they} whispered. And far away, someone whispered it back.",
            "And just before {their} eyes fell shut, a brand-new wish began to stir.",
            "“Tomorrow,” said {name} with a yawn, “I shall wish for something even bigger.”",
        ),
    ),
)

SUMMARIES: tuple[str, ...] = (
    "We meet {name} at home.",
    "{name} has a wish.",
    "A sign arrives: {sign}.",
    "{name} sets out.",
    "{name} comes to {land}.",
    "{name} meets {helper}, {helper_look}.",
    "They come to {obstacle}.",
    "{name} tries to get past {obstacle_name} alone.",
    "The try fails.",
    "{helper} comforts {name}.",
    "{name} tries again, differently.",
    "It works.",
    "They reach {goal}, and the wish comes true.",
    "{name} is home again with {gift}.",
)

PICTURES: tuple[str, ...] = (
    "{name} waves in front of the house on a bright morning.",
    "{name} looks up at the clouds and thinks of a wish.",
    "{name} finds {sign}.",
    "{name} walks along the road with a small bag.",
    "{name} looks in wonder at {land}.",
    "{name} meets {helper}, {helper_look}.",
    "{name} and {helper} stand before {obstacle}.",
    "{name} tries to get past {obstacle_name}.",
    "{name} sits on the ground and is sad.",
    "{name} and {helper} sit side by side under the stars.",
    "{name} and {helper} try together.",
    "{name} and {helper} jump for joy.",
    "{name} holds {gift} up high, and {helper} cheers.",
    "{name} sleeps in bed, with {gift} close by.",
)

COVER_PICTURE = "{name} and {helper} on their way through {land}."

SUBTITLES: Slot = (
    "A story about {virtue}",
    "The story of a wish, and of {virtue}",
)

BLURBS: Slot = (
    (
        "{name} has a wish, and wishes do not wait. With {helper}, {helper_look}, {they} set out for {goal}. "
        "But between them and the wish lies {obstacle}…"
    ),
    (
        "When {name} finds {sign}, nothing is as it was before. The way leads to {land}, to a new friend "
        "called {helper}, and to the discovery that big wishes need small steps."
    ),
)

DEDICATIONS: Slot = (
    "For {name}, who is just the right size for big wishes.",
    "For {name}, and for everyone who sets out.",
)

CLOSINGS: Slot = (
    "And if you ever find {sign}, you know what to do. The end.",
    "The wish has come true. The next one is already waiting. The end.",
    "Sleep well, {name}. {helper} is keeping watch. The end.",
)

LESSONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("draw", "paint", "art", "colour", "color", "craft"),
        "how a crooked line can turn into the best part of a picture",
    ),
    (("dino", "fossil"), "that even the very biggest dinosaur once fitted into an egg"),
    (
        ("music", "sing", "song", "piano", "guitar", "drum", "violin", "danc", "ballet"),
        "that every song is learned one note at a time",
    ),
    (
        ("foot", "soccer", "ball", "sport", "run", "bike", "climb", "gym", "skat"),
        "that whoever falls ten times gets up eleven times",
    ),
    (
        ("lego", "build", "block", "train", "car", "tractor", "truck", "robot", "machine"),
        "that the tallest tower starts with a single block",
    ),
    (
        ("space", "star", "planet", "rocket", "moon", "astronaut"),
        "that stars look tiny only to those who stay on the ground",
    ),
    (
        ("cat", "dog", "horse", "animal", "pony", "rabbit", "bird", "unicorn", "insect", "bug"),
        "that trust comes on tiptoe and must not be rushed",
    ),
    (("book", "read", "stor", "letter"), "that the best part comes just after the page where all seems lost"),
    (("bak", "cook", "cake", "pizza", "cookie"), "that good dough needs time before it can rise"),
    (
        ("garden", "flower", "plant", "tree", "forest", "nature"),
        "that nobody has ever made a flower grow by pulling at it",
    ),
    (
        ("sea", "fish", "swim", "boat", "whale", "shark", "ocean", "pirate"),
        "that you float best when you stop thrashing about",
    ),
)

COMMON_LESSON = "that the second try already knows what the first one did not"
